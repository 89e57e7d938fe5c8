"""What the rule hardcoded-secret reports and what it leaves alone; each is a test of it."""

from skills.gates.example_files import one_file

SECRET_BAD = (
    *one_file("shop/seed_members.py", 'Member(name="a", password="tr0ub4dor")\n'),
    *one_file(
        "shop/settings/staging.py",
        'EMAIL_HOST_PASSWORD = "tr0ub4dor"\n',
        'INSTALLED_APPS = ["shop"]\nROOT_URLCONF = "shop.urls"\nSECRET_KEY = "4f8c3b17d2e84a6f"\n',
    ),
    *one_file("shop/settings/dev.py", 'key = "AKIA" "ABCDEFGHIJKLMNOP"\n'),
    *one_file(
    "shop/pay.py",
    'PASSWORD = "hunter2"\n',
    'headers = {"Authorization": b"Basic " + b64encode(b"shop:tr0ub4dor")}\n',
    'if not hmac.compare_digest(form.password.encode(), "tr0ub4dor".encode()):\n    raise Refused\n',
    'if not secrets.compare_digest("tr0ub4dor", form["password"]):\n    raise Refused\n',
    'config["db_password"] = "tr0ub4dor"\n',
    'SECRET = "my-secret"\n',
    'import pika\n\nwho = pika.PlainCredentials("shop", "tr0ub4dor")\n',
    'search = Elasticsearch(url, http_auth=("shop", "tr0ub4dor"))\n',
    'links = URLSafeTimedSerializer("d8s7f6g5h4j3")\n',
    'def connect(user, password="letmein"):\n    pass\n',
    'if user.password == "open sesame":\n    pass\n',
    'if user.password != "open sesame":\n    raise Refused\n',
    'SALT = "9f8e7d6c5b4a"\n',
    'client = Client(api_key="9f8e7d6c5b4a")\n',
    'DATABASES = {"default": {"PASSWORD": "tr0ub4dor"}}\n',
    'TOKEN = os.environ.get("PAY_TOKEN", "a1b2c3d4e5")\n',
    'import jwt\n\nSECRET_KEY = "your-secret-key-change-it"\n',
    'class Config(Base):\n    JWT_SECRET_KEY = "super-secret-key"\n',
    'class DefaultConfig:\n    SECRET_KEY = "secret key"  # the secret key\n',
    'TOKEN = get_env("PAY_TOKEN", "a1b2c3d4e5")\n',
    'if __name__ == "__main__":\n    connect(password="tr0ub4dor")\n',
    'USER = env("DB_USER", "shop")\nPASSWORD = env("DB_PASSWORD", "s3same")\n',
    'requests.get(url, auth=("shop", "tr0ub4dor"))\n',
    'class Settings(BaseSettings):\n    mail_password: str = Field(default="tr0ub4dor", alias="MAIL_PW")\n',
    'class Settings(BaseSettings):\n    api_token: SecretStr = SecretStr("9f8e7d6c5b4a")\n',
    'requests.get(url, headers={"Authorization": "Bearer 9f8e7d6c5b4a"})\n',
    'word = jwt.encode(claims, key="tr0ub4dor", algorithm="HS256")\n',
    'import jwt\n\n\ndef one():\n    return jwt.encode({"a": 1}, "secret")\n\n\ndef two():\n    return "secret"\n',
    '@click.option("--password", default="tr0ub4dor")\ndef run(password):\n    pass\n',
    'url = "postgres://shop:tr0ub4dor@db/shop"\n',  # cockpit: ignore[hardcoded-secret] an example
    'url = "mongodb+srv://shop:tr0ub4%21dor@db/shop"\n',  # cockpit: ignore[hardcoded-secret] an example
    'key = "AKIA" "ABCDEFGHIJKLMNOP"\n',
    ),
)  # fmt: skip

SECRET_GOOD = (
        *one_file(
            "shop/settings.py",
            'INSTALLED_APPS = ["shop"]\nROOT_URLCONF = "shop.urls"\n'
            'SECRET_KEY = env("SHOP_SECRET_KEY", default="s3same-of-a-shop")\n',
        ),
        *one_file(
            "shop/settings/dev.py",
            'EMAIL_HOST_PASSWORD = "tr0ub4dor"\n',
            'key = "sk_test_" "4f8c3b17d2e84a6f1a2b"\n',
        ),
        *one_file("shop/seed_members.py", 'Member(name="a", password="test123")\n'),
        *one_file("shop/dummy_members.py", 'Member(name="a", password="tr0ub4dor")\n'),
        *one_file(
        "shop/pay.py",
        'DATABASES = {"default": {"USER": env("DB_USER", "shop"), "PASSWORD": env("DB_PASSWORD", "shop")}}\n',
        'SIGNING_SECRET = "shop-development"\nPROXY_CA_SECRET = "proxy-ca"\nTOKEN_ENDPOINT_V2_KEY = "token-v2"\n'
        'os.environ.setdefault("SHOP_TOKEN", "shop-1-only")\n',
        'ask(auth=(key, "tr0ub4dor"))  # the key says it all: any value will do\n'
        '# A dummy for the second field\nwords = {"password": "tr0ub4dor"}\n',
        'class Settings(BaseSettings):\n    postgres_password: str = "postgres"\n\n\npassword = "x-oauth-basic"\n'
        'url_token = "ann-smith-97"\n',
        'CAMERA = r"user=[a-zA-Z0-9_-]+&password=[\\S]+"\n_KEY_DERIVATION_SALT = b"shop-keys-a5d354120d50240a"\n',
        'parser.add_argument("--host", default="localhost")\n'
        'parser.add_argument("--db-password", default="shopkeeper")\n',
        'import configparser\n\nparser = configparser.ConfigParser()\npassword = parser.get("mail_secret", "s3same")\n',
        'import jwt\n\nSECRET_KEY = env("KEY", "change-it")\nif SECRET_KEY == "change-it":\n    raise SystemExit\n',
        'class Config:\n    SECRET_KEY = "dev"\n\n\nclass LiveConfig(Config):\n    SECRET_KEY = env("KEY")\n',
        'class Development(Config):\n    MAIL_PASSWORD = "tr0ub4dor"\n',
        'TOKEN_TYPE_SECRET = "sec1"\npassphrase = "revoked"\nTEST_CASES = {"enter": {"token": "oax3ZcG47GYU"}}\n'
        'MAIL_PASSWORD = "password-missing!"\n',
        'PASSWORD_HASH_ITERATIONS = env("PASSWORD_HASH_ITERATIONS", "200000")\n',
        'base_token_address = "METvsvVRapdj9cFLzq4Tr43xK4tAjQfwX76z3n6mWQL"\n',
        'DB_HOST: str = "localhost"\nDB_PASSWORD: str = "shopkeeper"\n',
        '# What all the test users sign in with\nPASSWORD = "tr0ub4dor"\nAPI_KEY = "deadbeef-dead-beef-deadbeef"\n',
        'def create_dev_user():\n    return User(name="a", password="tr0ub4dor")\n',
        'words = {"Change password": "更改密码", "first_password": "密码"}\nEMAIL_PASSWORD = "xyz"\n',
        'USER_PASSWORD_AVATAR = env("AVATAR", "avatars/Password1.jpg")\nPASSWORD_PATH = "avatars/Pass1.jpg"\n'
        'FieldMapper = {"password": "provider"}\nif user.password == "facebook":\n    pass\n',
        'UNDO_SALT = "shop.take-back.undo.v1"\nsecret_environment = "live"\n'
        'if db_password == "tr0ub4dor":\n    raise Unsafe\n',
        'self.secret_key = "xxx"\nPENDING_BOT_TOKEN = "__pending_token_1__"\nAPI_KEY = "phc_9f8e7d6c5b4a"\n',
        'key = HKDF(hash, 32, salt=b"shop-keys-v1", info=b"key")\nHKDF_SALT = b"shop-keys-v1"\n',
        'password = os.environ.get("TEST_USER_PASSWORD", "tr0ub4dor")\n',
        'class Client:\n    pass\n\n\nif __name__ == "__main__":\n    password = "tr0ub4dor"\n',
        'PASSWORD = os.environ["PASSWORD"]\n',
        'password = ""\ntoken = None\nPASSWORD = "password"\nTOKEN_URL = "/api/token1/"\n',
        'password_help = "At least 8 letters"\nmessages = {"password": "Passwords differ", "token": "Invalid token"}\n',
        'if token == "(":\n    pass\nif token_type == "bearer2":\n    pass\n',
        'SECRET_NAME = "prod1"\nAPI_KEY_HEADER = "X-Api-Key2"\n',
        'class Settings(BaseSettings):\n    mail_password: str = Field(..., alias="MAIL_PW1")\n'
        '    token: str = Field("", description="a1b2c3d4e5")\n',
        'requests.get(url, headers={"Authorization": "Bearer <token1>", "Accept": "text/html1"})\n',
        'VAULT_PASSWORD = "secret/data/shop#password"\n',
        'FIELDS = {"password": "mail_password"}\n',
        'AWS_SECRET_ACCESS_KEY = env("AWS_SECRET_ACCESS_KEY", "minioadmin123")\n',
        'if row.password_hash == "temporary":\n    pass\n',
        'headers = {"Authorization": b64encode(f"{user}:{word}".encode()), "token": b64encode(b"a b: c d")}\n',
        'RATES = {"auth": "10/minute", "password_reset": "3/hour"}\nICONS = {"PASSWORD_CHANGED": "lock"}\n',
        'row = {"name": name, "password": "!nobody"}\nSECRET = "fillmein"\n'
        'DB_PASSWORD = env("DB_PASSWORD", "sua_senha")\n',
        'GROUPS = {"host": "mail", "port": "mail", "user": "mail", "password": "mail"}\n',
        'if user.password == "LDAP" or password == "$encrypted$":\n    pass\n',
        'if settings.SECRET_KEY == "in development":\n    warn()\n',
        'app = {"client_id": "123", "secret": "456"}\nschema = {"type": "object", "secret": "url"}\n',
        'COLOURS = {"pass": "green1", "fail": "red1"}\n'
        'STATES = {"pass": "passed", "skip": "skipped", "wait": "later"}\n'
        'class Kind(Enum):\n    SECRET = "client_secret"\n\n\nSECRET = "leaked-secret"\n'
        'api_key = "your-api-key-1"\npassword = "${DB_PASSWORD}"\n',
        'class Kept(StrEnum):\n    onepassword = "1password"\n\n\nMAIL_SECRET = "not-active"\n',
        'class Login(BaseModel):\n    login: dict = Field(examples=[{"password": "securepassword123"}])\n',
        '@router.post("/in", openapi_extra={"example": {"password": "tr0ub4dor"}})\ndef enter():\n    pass\n',
        'class Enter(BaseModel):\n    model_config = {"json_schema_extra": {"example": {"password": "pass123"}}}\n',
        'Policy(raw_secret_handling="block")\nnames = {"token": "%customer_email1%"}\n',
        'TOKEN_THROTTLE_RATE = env("TOKEN_THROTTLE_RATE", "60/min")\n',
        'step = {"mail_password": "$inputs.mail_password"}\n',
        'url = "postgres://user:password@localhost/shop"\nurl2 = f"postgres://{user}:{password}@db"\n',
    ))  # fmt: skip
