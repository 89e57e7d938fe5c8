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


def _each(module: str, names: str, waits: Waits) -> dict[str, Waits]:
    return {f"{module}.{name}": waits for name in names.split()}


_STRIPE = (
    "Charge Customer PaymentIntent Refund Subscription Invoice Price Product checkout.Session SetupIntent Transfer"
)

FUNCTIONS: dict[str, Waits] = {
    "open": FILE,
    "input": TERMINAL,
    **_each("builtins", "open", FILE),
    **_each("builtins", "input", TERMINAL),
    **_each("getpass", "getpass", TERMINAL),
    **_each("io", "open open_code", FILE),
    **_each("codecs", "open", FILE),
    **_each("gzip", "open", FILE),
    **_each("bz2", "open", FILE),
    **_each("lzma", "open", FILE),
    **_each("tarfile", "open", ARCHIVE),
    **_each("zipfile", "ZipFile", ARCHIVE),
    **_each("tempfile", "NamedTemporaryFile TemporaryFile TemporaryDirectory mkstemp mkdtemp", FILE),
    **_each("os", "fdopen open", FILE),
    **_each("os", _OS_TREE, TREE),
    **_each("os", _OS_STAT, STAT),
    **_each("os.path", _PATHS, STAT),
    **_each("posixpath", _PATHS, STAT),
    **_each("shutil", _SHUTIL, TREE),
    **_each("shutil", "disk_usage which", STAT),
    **_each("glob", "glob", TREE),
    **_each("os", _PROCESS, PROCESS),
    **_each("subprocess", _EXEC, PROCESS),
    **_each("pty", "spawn", PROCESS),
    **_each("requests", VERBS, HTTP),
    **_each("requests.api", VERBS, HTTP),
    **_each("httpx", f"{VERBS} stream", HTTP),
    **_each("httpx2", f"{VERBS} stream", HTTP),
    **_each("niquests", VERBS, HTTP),
    **_each("urllib.request", "urlopen urlretrieve", HTTP),
    **_each("urllib2", "urlopen", HTTP),
    **_each("urllib", "urlopen urlretrieve", HTTP),
    **_each("urllib3", "request", HTTP),
    **_each("wget", "download", HTTP),
    **_each("socket", _SOCKET, NETWORK),
    **_each("ssl", "get_server_certificate", NETWORK),
    **_each("smtplib", "SMTP SMTP_SSL LMTP", NETWORK),
    **_each("imaplib", "IMAP4 IMAP4_SSL", NETWORK),
    **_each("poplib", "POP3 POP3_SSL", NETWORK),
    **_each("ftplib", "FTP FTP_TLS", NETWORK),
    **_each("telnetlib", "Telnet", NETWORK),
    **_each("django.core.mail", "send_mail send_mass_mail mail_admins mail_managers", NETWORK),
    **_each("sqlite3", "connect", DATABASE),
    **_each("psycopg2", "connect", DATABASE),
    **_each("psycopg", "connect", DATABASE),
    **_each("psycopg.Connection", "connect", DATABASE),
    **_each("MySQLdb", "connect", DATABASE),
    **_each("pymysql", "connect", DATABASE),
    **_each("mysql.connector", "connect", DATABASE),
    **_each("mariadb", "connect", DATABASE),
    **_each("pyodbc", "connect", DATABASE),
    **_each("cx_Oracle", "connect", DATABASE),
    **_each("oracledb", "connect", DATABASE),
    **_each("pymssql", "connect", DATABASE),
    **_each("duckdb", "connect", DATABASE),
    **_each("concurrent.futures", "wait as_completed", THREAD),
    **_each("select", "select", NETWORK),
    **_each("fileinput", "input", FILE),
    **_each("shelve", "open", FILE),
    **_each("h5py", "File", FILE),
    **_each("feedparser", "parse", NETWORK),
    **_each("websocket", "create_connection", NETWORK),
    **_each("pika", "BlockingConnection", NETWORK),
    **_each("git.Repo", "clone_from", NETWORK),
    **_each("playwright.sync_api", "sync_playwright", PROCESS),
    **_each("pexpect", "run spawn", PROCESS),
    **_each("trafilatura", "fetch_url", HTTP),
    **_each("yfinance", "download", HTTP),
    **_each("pysftp", "Connection", NETWORK),
    **_each("snowflake.connector", "connect", DATABASE),
    **_each("clickhouse_connect", "get_client", DATABASE),
    **_each("paramiko", "Transport", NETWORK),
    **_each("pandas", "read_sql read_sql_query read_sql_table", DATABASE),
    **_each("webbrowser", "open", PROCESS),
    **_each("signal", "pause sigwait", THREAD),
    **_each("dns.resolver", "resolve query", NETWORK),
    **_each("litellm", "completion embedding text_completion image_generation transcription", NETWORK),
    **_each("ollama", "chat generate embed embeddings pull", NETWORK),
    **{
        f"stripe.{thing}.{deed}": NETWORK
        for thing in _STRIPE.split()
        for deed in ("create", "retrieve", "modify", "list")
    },
}
"""Dotted name → what it waits for."""
