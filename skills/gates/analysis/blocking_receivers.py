"""Objects whose methods wait for a disk, a network or a process: dotted classes with the methods that wait, as tables.

Only what waits by its nature stands here, as in `blocking_calls`.
"""

import re

from skills.gates.analysis.blocking_calls import FUNCTIONS, VERBS
from skills.gates.analysis.waits import DATABASE, FILE, HTTP, NETWORK, PROCESS, STAT, THREAD, Waits
from skills.gates.engine.patterns import lazy
from skills.record import record


@record
class Receiver:
    """The methods of a class that wait: `methods`, or every one but `quick` where that is None."""

    waits: Waits
    methods: frozenset[str] | None
    quick: frozenset[str] = frozenset()
    minor: frozenset[str] = frozenset()

    def of(self, method: str) -> Waits | None:
        """What `method` waits for, None where it does not."""
        if method in self.minor:
            return STAT
        if self.methods is None:
            return None if method in self.quick or method.startswith("_") else self.waits
        return self.waits if method in self.methods else None


def _only(waits: Waits, methods: str, minor: str = "") -> Receiver:
    return Receiver(waits, frozenset(methods.split()), minor=frozenset(minor.split()))


def _all_but(waits: Waits, quick: str) -> Receiver:
    return Receiver(waits, None, frozenset(quick.split()))


PATH = _only(
    FILE,
    "open read_text read_bytes write_text write_bytes mkdir rmdir unlink rename replace touch symlink_to hardlink_to "
    "link_to iterdir glob rglob walk copy copy_into move move_into",
    "exists is_file is_dir is_symlink is_mount is_socket is_fifo is_block_device is_char_device is_junction stat lstat "
    "resolve samefile owner group chmod lchmod readlink",
)
_OPEN_FILE = _only(
    FILE, "read read1 readall readinto readinto1 readline readlines write writelines flush truncate peek"
)
_HTTP_CLIENT = _only(HTTP, f"{VERBS} send stream close")
_URLLIB3 = _all_but(
    HTTP, "clear close connection_from_host connection_from_url connection_from_context connection_from_pool_key"
)
_POPEN = _only(PROCESS, "wait communicate")
_CURSOR = _only(
    DATABASE, "execute executemany executescript fetchone fetchmany fetchall callproc copy_expert copy_from"
)
_CONNECTION = _only(DATABASE, "execute executemany executescript commit rollback")
_SESSION = _only(
    DATABASE, "execute scalars scalar commit flush refresh rollback get get_one merge exec bulk_save_objects "
    "bulk_insert_mappings bulk_update_mappings",
)  # fmt: skip
_QUERY = _only(DATABASE, "all first one one_or_none scalar scalars count get delete update fetchall fetchone")
_REDIS = _all_but(
    DATABASE,
    "pipeline pubsub register_script lock client close connection_pool set_response_callback from_url transaction json "
    "ft ts bf",
)
_AWS = _all_but(
    NETWORK,
    "generate_presigned_url generate_presigned_post get_paginator get_waiter can_paginate close exceptions meta Table "
    "Bucket Object Queue Topic client resource",
)
_SDK = _all_but(NETWORK, "with_options copy with_raw_response with_streaming_response close is_closed")
_SMTP = _only(NETWORK, "connect login send_message sendmail starttls ehlo quit helo noop")
_MONGO = _only(
    DATABASE,
    "insert_one insert_many update_one update_many delete_one delete_many find_one find_one_and_update "
    "find_one_and_delete find_one_and_replace replace_one count_documents estimated_document_count distinct bulk_write "
    "create_index drop server_info list_database_names list_collection_names",
)
_QUEUE = _only(THREAD, "get join")
_SSH = _only(NETWORK, "connect exec_command open_sftp invoke_shell")

_URLLIB3_CLASSES = (
    "HTTPConnectionPool HTTPSConnectionPool PoolManager ProxyManager connectionpool.ConnectionPool "
    "connectionpool.HTTPConnectionPool connectionpool.HTTPSConnectionPool poolmanager.PoolManager "
    "poolmanager.ProxyManager request.RequestMethods"
)

_FILE_CLASSES = "TextIOWrapper BufferedReader BufferedWriter BufferedRandom BufferedRWPair FileIO"

_BLOB = _only(
    NETWORK,
    "download_as_text download_as_bytes download_as_string download_to_filename download_to_file upload_from_string "
    "upload_from_filename upload_from_file exists delete reload compose patch",
)

RECEIVERS: dict[str, Receiver] = {
    "pathlib.Path": PATH,
    "pathlib.PosixPath": PATH,
    "pathlib.WindowsPath": PATH,
    **{f"io.{name}": _OPEN_FILE for name in _FILE_CLASSES.split()},
    "httpx.Client": _HTTP_CLIENT,
    "httpx2.Client": _HTTP_CLIENT,
    "requests.Session": _HTTP_CLIENT,
    "requests.sessions.Session": _HTTP_CLIENT,
    "niquests.Session": _HTTP_CLIENT,
    "cloudscraper.CloudScraper": _HTTP_CLIENT,
    "urllib.request.OpenerDirector": _only(HTTP, "open"),
    "http.client.HTTPConnection": _only(HTTP, "request getresponse connect"),
    "http.client.HTTPSConnection": _only(HTTP, "request getresponse connect"),
    **{f"urllib3.{name}": _URLLIB3 for name in _URLLIB3_CLASSES.split()},
    "subprocess.Popen": _POPEN,
    "sqlite3.Connection": _CONNECTION,
    "sqlite3.Cursor": _CURSOR,
    "psycopg2.extensions.connection": _CONNECTION,
    "psycopg2.extensions.cursor": _CURSOR,
    "psycopg.Connection": _CONNECTION,
    "psycopg.Cursor": _CURSOR,
    "sqlalchemy.orm.Session": _SESSION,
    "sqlalchemy.orm.session.Session": _SESSION,
    "sqlmodel.Session": _SESSION,
    "sqlalchemy.Connection": _CONNECTION,
    "sqlalchemy.engine.Connection": _CONNECTION,
    "sqlalchemy.Engine": _only(DATABASE, "connect begin raw_connection"),
    "sqlalchemy.orm.Query": _QUERY,
    "redis.Redis": _REDIS,
    "redis.StrictRedis": _REDIS,
    "redis.client.Redis": _REDIS,
    "redis.cluster.RedisCluster": _REDIS,
    "redis.RedisCluster": _REDIS,
    "redis.client.Pipeline": _only(DATABASE, "execute"),
    "pymongo.MongoClient": _MONGO,
    "pymongo.mongo_client.MongoClient": _MONGO,
    "boto3.client": _AWS,
    "botocore.client.BaseClient": _AWS,
    "boto3.Session": _only(NETWORK, ""),
    "boto3.session.Session": _only(NETWORK, ""),
    "openai.OpenAI": _SDK,
    "openai.AzureOpenAI": _SDK,
    "anthropic.Anthropic": _SDK,
    "groq.Groq": _SDK,
    "cohere.Client": _SDK,
    "ollama.Client": _SDK,
    "google.cloud.storage.Client": _only(NETWORK, "get_bucket lookup_bucket create_bucket list_blobs list_buckets"),
    "google.cloud.storage.Bucket": _only(NETWORK, "get_blob list_blobs delete_blob copy_blob exists reload"),
    "google.cloud.storage.Blob": _BLOB,
    "azure.storage.blob.BlobServiceClient": _only(NETWORK, "create_container delete_container get_account_information"),
    "azure.storage.blob.ContainerClient": _only(
        NETWORK, "upload_blob download_blob delete_blob exists create_container"
    ),
    "azure.storage.blob.BlobClient": _only(NETWORK, "upload_blob download_blob delete_blob exists get_blob_properties"),
    "minio.Minio": _all_but(NETWORK, "presigned_get_object presigned_put_object presigned_post_policy"),
    "elasticsearch.Elasticsearch": _all_but(DATABASE, "options close"),
    "slack_sdk.WebClient": _all_but(NETWORK, "close"),
    "slack_sdk.web.client.WebClient": _all_but(NETWORK, "close"),
    "configparser.ConfigParser": _only(FILE, "read"),
    "configparser.RawConfigParser": _only(FILE, "read"),
    "tornado.httpclient.HTTPClient": _only(HTTP, "fetch"),
    "zipfile.ZipFile": _only(FILE, "write extract extractall"),
    "tarfile.TarFile": _only(FILE, "extract extractall"),
    "socket.socket": _only(NETWORK, "connect recv recv_into recvfrom send sendall sendto accept"),
    "smtplib.SMTP": _SMTP,
    "smtplib.SMTP_SSL": _SMTP,
    "django.core.mail.EmailMessage": _only(NETWORK, "send"),
    "django.core.mail.EmailMultiAlternatives": _only(NETWORK, "send"),
    "paramiko.SSHClient": _SSH,
    "paramiko.client.SSHClient": _SSH,
    "queue.Queue": _QUEUE,
    "queue.LifoQueue": _QUEUE,
    "queue.PriorityQueue": _QUEUE,
    "queue.SimpleQueue": _QUEUE,
    "threading.Thread": _only(THREAD, "join"),
    "concurrent.futures.ThreadPoolExecutor": _only(THREAD, ""),
    "concurrent.futures.ProcessPoolExecutor": _only(THREAD, ""),
    "concurrent.futures.Future": _only(THREAD, "result exception"),
    **{f"threading.{name}": _only(THREAD, "acquire") for name in ("Lock", "RLock", "Semaphore", "BoundedSemaphore")},
    "threading.Event": _only(THREAD, "wait"),
    "threading.Condition": _only(THREAD, "wait wait_for"),
    "threading.Barrier": _only(THREAD, "wait"),
    "multiprocessing.Process": _only(THREAD, "join"),
    "multiprocessing.Queue": _QUEUE,
    "kafka.KafkaProducer": _only(NETWORK, "flush close"),
    "kafka.KafkaProducer.send()": _only(NETWORK, "get"),
    "kafka.KafkaConsumer": _only(NETWORK, "poll commit"),
    "confluent_kafka.Producer": _only(NETWORK, "flush"),
    "confluent_kafka.Consumer": _only(NETWORK, "poll consume commit"),
    "pika.BlockingConnection": _only(NETWORK, "channel process_data_events"),
    "pymemcache.client.base.Client": _all_but(DATABASE, "close"),
    "docker.DockerClient": _only(NETWORK, "run pull build get list ping info login"),
    "google.cloud.bigquery.Client": _only(NETWORK, "query query_and_wait get_table list_rows insert_rows_json"),
    "twilio.rest.Client": _only(NETWORK, "create fetch list update delete"),
    "sendgrid.SendGridAPIClient": _only(NETWORK, "send"),
    "kubernetes.client.CoreV1Api": _all_but(NETWORK, "api_client"),
    "kubernetes.client.BatchV1Api": _all_but(NETWORK, "api_client"),
    "kubernetes.client.AppsV1Api": _all_but(NETWORK, "api_client"),
    "google.generativeai.GenerativeModel": _only(NETWORK, "generate_content count_tokens"),
    "google.genai.Client": _all_but(NETWORK, "aio close"),
    "mistralai.Mistral": _only(NETWORK, "complete stream create list parse"),
    "together.Together": _SDK,
    "cohere.ClientV2": _SDK,
    "qdrant_client.QdrantClient": _all_but(DATABASE, "close"),
    "pinecone.Pinecone": _only(NETWORK, "query upsert delete fetch create_index list_indexes describe_index"),
    "chromadb.HttpClient": _only(DATABASE, "get_or_create_collection get_collection create_collection"),
    "opensearchpy.OpenSearch": _all_but(DATABASE, "close"),
    "meilisearch.Client": _all_but(NETWORK, "index"),
    "hvac.Client": _only(NETWORK, "read write list read_secret_version create_or_update_secret"),
    "clickhouse_driver.Client": _only(DATABASE, "execute execute_iter query_dataframe insert_dataframe"),
    "clickhouse_connect.Client": _only(DATABASE, "query command insert query_df insert_df"),
    "neo4j.Session": _only(DATABASE, "run execute_read execute_write"),
    "neo4j.Driver": _only(DATABASE, "execute_query verify_connectivity"),
    "ldap3.Connection": _only(NETWORK, "bind search add modify delete unbind"),
    "imaplib.IMAP4": _only(NETWORK, "login select search fetch store logout append"),
    "imaplib.IMAP4_SSL": _only(NETWORK, "login select search fetch store logout append"),
    "ftplib.FTP": _only(NETWORK, "connect login retrbinary retrlines storbinary storlines nlst cwd quit delete"),
    "ftplib.FTP_TLS": _only(NETWORK, "connect login retrbinary retrlines storbinary storlines nlst cwd quit delete"),
    "paramiko.SFTPClient": _only(NETWORK, "get put listdir remove stat open"),
    "pysftp.Connection": _only(NETWORK, "get put listdir remove execute cwd"),
    "multiprocessing.Pool": _only(THREAD, "map starmap apply join"),
    "pandas.DataFrame": _only(FILE, "to_parquet to_excel to_pickle to_feather to_hdf to_sql"),
    "tweepy.Client": _all_but(NETWORK, "session"),
    "yt_dlp.YoutubeDL": _only(NETWORK, "download extract_info"),
}
"""Dotted class → its methods that wait."""

_PATH_CHAIN = "absolute resolve expanduser joinpath with_name with_stem with_suffix relative_to rename replace"
_QUERY_CHAIN = (
    "filter filter_by join outerjoin order_by options limit offset group_by having distinct with_for_update "
    "select_from with_entities"
)

MAKES: dict[str, str] = {
    "requests.session": "requests.Session",
    "tarfile.open": "tarfile.TarFile",
    "urllib.request.build_opener": "urllib.request.OpenerDirector",
    "sqlite3.connect": "sqlite3.Connection",
    "psycopg2.connect": "psycopg2.extensions.connection",
    "psycopg.connect": "psycopg.Connection",
    "psycopg.Connection.connect": "psycopg.Connection",
    "MySQLdb.connect": "psycopg2.extensions.connection",
    "pymysql.connect": "psycopg2.extensions.connection",
    "mysql.connector.connect": "psycopg2.extensions.connection",
    "pyodbc.connect": "psycopg2.extensions.connection",
    "oracledb.connect": "psycopg2.extensions.connection",
    "duckdb.connect": "sqlite3.Connection",
    "redis.from_url": "redis.Redis",
    "redis.Redis.from_url": "redis.Redis",
    "redis.StrictRedis.from_url": "redis.Redis",
    "redis.RedisCluster.from_url": "redis.Redis",
    "redis.cluster.RedisCluster.from_url": "redis.Redis",
    "cloudscraper.create_scraper": "cloudscraper.CloudScraper",
    "boto3.resource": "boto3.client",
    **{f"boto3.client.{thing}": "boto3.client" for thing in ("Bucket", "Object", "Table", "Queue", "Topic")},
    "boto3.session.Session.client": "boto3.client",
    "boto3.session.Session.resource": "boto3.client",
    "boto3.Session.client": "boto3.client",
    "boto3.Session.resource": "boto3.client",
    "docker.from_env": "docker.DockerClient",
    "concurrent.futures.ThreadPoolExecutor.submit": "concurrent.futures.Future",
    "concurrent.futures.ProcessPoolExecutor.submit": "concurrent.futures.Future",
    "asyncio.run_coroutine_threadsafe": "concurrent.futures.Future",
    "google.cloud.storage.Client.bucket": "google.cloud.storage.Bucket",
    "google.cloud.storage.Client.get_bucket": "google.cloud.storage.Bucket",
    "google.cloud.storage.Bucket.blob": "google.cloud.storage.Blob",
    "azure.storage.blob.BlobServiceClient.get_container_client": "azure.storage.blob.ContainerClient",
    "azure.storage.blob.BlobServiceClient.get_blob_client": "azure.storage.blob.BlobClient",
    "azure.storage.blob.BlobServiceClient.from_connection_string": "azure.storage.blob.BlobServiceClient",
    "pathlib.Path.cwd": "pathlib.Path",
    "pathlib.Path.home": "pathlib.Path",
    "psycopg2.extensions.connection.cursor": "psycopg2.extensions.cursor",
    "sqlite3.Connection.cursor": "sqlite3.Cursor",
    "psycopg.Connection.cursor": "psycopg.Cursor",
    "sqlalchemy.orm.Session.query": "sqlalchemy.orm.Query",
    "sqlalchemy.orm.session.Session.query": "sqlalchemy.orm.Query",
    "sqlmodel.Session.query": "sqlalchemy.orm.Query",
    "redis.Redis.pipeline": "redis.client.Pipeline",
    "sqlalchemy.orm.sessionmaker": "sqlalchemy.orm.sessionmaker",
    "sqlalchemy.orm.sessionmaker.begin": "sqlalchemy.orm.Session",
    "sqlalchemy.create_engine": "sqlalchemy.Engine",
    "sqlmodel.create_engine": "sqlalchemy.Engine",
    "sqlalchemy.Engine.connect": "sqlalchemy.Connection",
    "sqlalchemy.Engine.begin": "sqlalchemy.Connection",
    "socket.create_connection": "socket.socket",
    "kafka.KafkaProducer.send": "kafka.KafkaProducer.send()",
    "clickhouse_connect.get_client": "clickhouse_connect.Client",
    "neo4j.GraphDatabase.driver": "neo4j.Driver",
    "neo4j.Driver.session": "neo4j.Session",
    "snowflake.connector.connect": "psycopg2.extensions.connection",
    "pymssql.connect": "psycopg2.extensions.connection",
    "sqlalchemy.orm.sessionmaker()": "sqlalchemy.orm.Session",
    "sqlalchemy.orm.scoped_session()": "sqlalchemy.orm.Session",
    **dict.fromkeys([f"pathlib.Path.{method}" for method in _PATH_CHAIN.split()], "pathlib.Path"),
    **dict.fromkeys([f"sqlalchemy.orm.Query.{method}" for method in _QUERY_CHAIN.split()], "sqlalchemy.orm.Query"),
}
"""Dotted function, or class and method → the class of what it answers; "f()" what the answer of f makes in turn."""

ITSELF = frozenset(
    {"openai.OpenAI", "openai.AzureOpenAI", "anthropic.Anthropic", "groq.Groq", "elasticsearch.Elasticsearch",
     "pymongo.MongoClient", "pymongo.mongo_client.MongoClient", "docker.DockerClient", "twilio.rest.Client",
     "mistralai.Mistral", "together.Together", "hvac.Client"}
)  # fmt: skip
"""Classes whose attributes and items are parts of the same client: `client.chat.completions.create`,
`client["shop"].orders.find_one`."""

ANY_METHOD_PACKAGES = tuple(
    sorted({name.partition(".")[0] for name, receiver in RECEIVERS.items() if receiver.methods is None})
)
"""Packages with classes of which nearly every method waits."""

ANY_METHOD_WORDS = tuple(name.encode() for name in ANY_METHOD_PACKAGES)

ORM_TERMINALS = frozenset(
    {
        "get", "create", "first", "last", "count", "exists", "update", "delete", "bulk_create", "bulk_update",
        "get_or_create", "update_or_create", "aggregate", "earliest", "latest", "in_bulk", "contains",
    }
)  # fmt: skip
"""Django's queryset methods that run a query at once."""

ORM_LAZY = frozenset(
    {"all", "filter", "exclude", "order_by", "select_related", "prefetch_related", "annotate", "values", "values_list",
     "distinct", "only", "defer", "iterator"}
)  # fmt: skip
"""Django's queryset methods of which the query runs where something walks over the answer."""

ORM_ROWS = frozenset({"save", "delete", "refresh_from_db"})
"""Methods of Django's rows that run a query."""

METHOD_NAMES = frozenset(
    {name.rpartition(".")[2] for name in FUNCTIONS}
    | {method for receiver in RECEIVERS.values() for method in (receiver.methods or ())}
    | PATH.minor
    | ORM_TERMINALS
    | ORM_LAZY
    | ORM_ROWS
)
"""Every last name that can wait: what a call is searched for first."""

HTTP_METHODS = lazy(r"GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS|TRACE|CONNECT", re.I)
