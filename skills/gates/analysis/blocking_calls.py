"""Functions of the standard library and of well-known packages that wait for a disk, a network or a process, by their
dotted names, as a table.

Only what waits by its nature stands here: what is fast, lazy or already asynchronous does not.
"""

from skills.gates.analysis.waits import (
    ARCHIVE,
    DATABASE,
    FILE,
    HTTP,
    NETWORK,
    PROCESS,
    STAT,
    TERMINAL,
    THREAD,
    TREE,
    Waits,
    each_of,
)

VERBS = "get post put patch delete head options request"
_EXEC = "run call check_call check_output getoutput getstatusoutput Popen"
_OS_TREE = (
    "remove unlink rename renames replace mkdir makedirs rmdir removedirs listdir scandir walk fwalk link symlink "
    "truncate copy_file_range sendfile fsync"
)
_OS_STAT = "stat lstat access chmod chown utime readlink statvfs"
_PATHS = (
    "exists lexists isfile isdir islink ismount isjunction getsize getmtime getatime getctime realpath _joinrealpath "
    "samefile sameopenfile abspath relpath"
)
_SHUTIL = "copy copy2 copyfile copyfileobj copymode copystat copytree move rmtree make_archive unpack_archive chown"
_PROCESS = (
    "system popen wait wait3 wait4 waitid waitpid posix_spawn posix_spawnp "
    "spawnl spawnle spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe"
)
_SOCKET = "create_connection gethostbyname gethostbyname_ex gethostbyaddr getaddrinfo getnameinfo getfqdn create_server"
_STRIPE = (
    "Charge Customer PaymentIntent Refund Subscription Invoice Price Product checkout.Session SetupIntent Transfer"
)

FUNCTIONS: dict[str, Waits] = {
    "open": FILE,
    "input": TERMINAL,
    **each_of("builtins", "open", FILE),
    **each_of("builtins", "input", TERMINAL),
    **each_of("getpass", "getpass", TERMINAL),
    **each_of("io", "open open_code", FILE),
    **each_of("codecs", "open", FILE),
    **each_of("gzip", "open", FILE),
    **each_of("bz2", "open", FILE),
    **each_of("lzma", "open", FILE),
    **each_of("tarfile", "open", ARCHIVE),
    **each_of("zipfile", "ZipFile", ARCHIVE),
    **each_of("tempfile", "NamedTemporaryFile TemporaryFile TemporaryDirectory mkstemp mkdtemp", FILE),
    **each_of("os", "fdopen open", FILE),
    **each_of("os", _OS_TREE, TREE),
    **each_of("os", _OS_STAT, STAT),
    **each_of("os.path", _PATHS, STAT),
    **each_of("posixpath", _PATHS, STAT),
    **each_of("shutil", _SHUTIL, TREE),
    **each_of("shutil", "disk_usage which", STAT),
    **each_of("glob", "glob", TREE),
    **each_of("os", _PROCESS, PROCESS),
    **each_of("subprocess", _EXEC, PROCESS),
    **each_of("pty", "spawn", PROCESS),
    **each_of("requests", VERBS, HTTP),
    **each_of("requests.api", VERBS, HTTP),
    **each_of("httpx", f"{VERBS} stream", HTTP),
    **each_of("httpx2", f"{VERBS} stream", HTTP),
    **each_of("niquests", VERBS, HTTP),
    **each_of("urllib.request", "urlopen urlretrieve", HTTP),
    **each_of("urllib2", "urlopen", HTTP),
    **each_of("urllib", "urlopen urlretrieve", HTTP),
    **each_of("urllib3", "request", HTTP),
    **each_of("wget", "download", HTTP),
    **each_of("socket", _SOCKET, NETWORK),
    **each_of("ssl", "get_server_certificate", NETWORK),
    **each_of("smtplib", "SMTP SMTP_SSL LMTP", NETWORK),
    **each_of("imaplib", "IMAP4 IMAP4_SSL", NETWORK),
    **each_of("poplib", "POP3 POP3_SSL", NETWORK),
    **each_of("ftplib", "FTP FTP_TLS", NETWORK),
    **each_of("telnetlib", "Telnet", NETWORK),
    **each_of("django.core.mail", "send_mail send_mass_mail mail_admins mail_managers", NETWORK),
    **each_of("sqlite3", "connect", DATABASE),
    **each_of("psycopg2", "connect", DATABASE),
    **each_of("psycopg", "connect", DATABASE),
    **each_of("psycopg.Connection", "connect", DATABASE),
    **each_of("MySQLdb", "connect", DATABASE),
    **each_of("pymysql", "connect", DATABASE),
    **each_of("mysql.connector", "connect", DATABASE),
    **each_of("mariadb", "connect", DATABASE),
    **each_of("pyodbc", "connect", DATABASE),
    **each_of("cx_Oracle", "connect", DATABASE),
    **each_of("oracledb", "connect", DATABASE),
    **each_of("pymssql", "connect", DATABASE),
    **each_of("duckdb", "connect", DATABASE),
    **each_of("concurrent.futures", "wait as_completed", THREAD),
    **each_of("select", "select", NETWORK),
    **each_of("fileinput", "input", FILE),
    **each_of("shelve", "open", FILE),
    **each_of("h5py", "File", FILE),
    **each_of("feedparser", "parse", NETWORK),
    **each_of("websocket", "create_connection", NETWORK),
    **each_of("pika", "BlockingConnection", NETWORK),
    **each_of("git.Repo", "clone_from", NETWORK),
    **each_of("playwright.sync_api", "sync_playwright", PROCESS),
    **each_of("pexpect", "run spawn", PROCESS),
    **each_of("trafilatura", "fetch_url", HTTP),
    **each_of("yfinance", "download", HTTP),
    **each_of("pysftp", "Connection", NETWORK),
    **each_of("snowflake.connector", "connect", DATABASE),
    **each_of("clickhouse_connect", "get_client", DATABASE),
    **each_of("paramiko", "Transport", NETWORK),
    **each_of("pandas", "read_sql read_sql_query read_sql_table", DATABASE),
    **each_of("webbrowser", "open", PROCESS),
    **each_of("signal", "pause sigwait", THREAD),
    **each_of("dns.resolver", "resolve query", NETWORK),
    **each_of("litellm", "completion embedding text_completion image_generation transcription", NETWORK),
    **each_of("ollama", "chat generate embed embeddings pull", NETWORK),
    **{
        f"stripe.{thing}.{deed}": NETWORK
        for thing in _STRIPE.split()
        for deed in ("create", "retrieve", "modify", "list")
    },
}
"""Dotted name → what it waits for."""
