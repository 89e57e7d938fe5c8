"""Words of tasks that tell stage, lane and topic, in English and Spanish (Python backend orchestrator)."""

import re


def _pattern(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.])(?:{'|'.join(words)})(?![\w])", re.IGNORECASE)


DESIGN = _pattern(
    r"(?:re)?design\w*|architect\w*|structure|layout|blueprint|adr|choose|data model|plan",
    r"(?:re)?diseñ\w+|arquitectura|estructura|elige|elegir|planifica\w*|modelo de datos|propón|propon(?:er|me)|"
    r"boceto",
    r"how (?:should|do|would|could|can) (?:we|i) (?:model|structure|organi[sz]e|split|lay out|approach)|propose|"
    r"sketch",
    r"(?:data|prediction|api) contract|cómo (?:estructur|organiz|model|reparti)\w+|contrato de datos|decide on",
)
TEST = _pattern(
    r"tests?|test_\w+|testing|cover(?:ing)?|tested|tdd|pytest|unittest|coverage|fixtures?|mocks?|factor(?:y|ies)",
    r"regression suite",
    r"pruebas?|cobertura|testea\w*|cubr(?:e|ir)",
)
SECURE = _pattern(
    r"secur\w+|harden\w*|lock (?:it |this |them )?down|auth|authn|authz|authenticat\w+|authori[sz]\w+|permissions?",
    r"unsafe(?:ly)?|untrusted|is (?:\S+ ){1,4}?(?:really )?safe|es segur[oa]",
    r"leak\w* (?:\w+ )?(?:data|secrets?|tokens?|information)|data leak\w*",
    r"csrf|cors|xss|(?:sql )?injections?|vulnerab\w+|secrets?|jwt|oauth2?|encrypt\w*|rate[ -]limit\w*|throttl\w+",
    r"brute[ -]force|bandit|pip-audit|protect\w*|saniti[sz]\w+|access control|2fa|mfa|hsts|password hash\w*",
    r"segur\w+|asegura\w*|endurec\w+|autentica\w*|autenticación|autoriza\w*|autorización|permisos?|vulnerabilidad\w*",
    r"protege\w*|blinda\w*|cifra\w*|inyección|secretos?",
    r"(?:make sure |ensure )?nobody (?:else )?(?:can|may)|only [\w ]{2,24}(?:may|can|should)|who (?:may|can|"
    r"is allowed)",
    r"other (?:people|users?|customers?|tenants?)(?:['’]s?)?|restrict\w*|login attempts|(?:audience|issuer|"
    r"signature)s?",
    r"sol[oa]s? (?:el|la|los|las)? ?\w+ (?:pued\w+|vean?)|nadie (?:más )?pued\w+|restring\w+|otros (?:usuarios|"
    r"clientes)",
    r"intentos de (?:login|acceso|sesión)|limita\w* (?:las |el número de )?(?:peticiones|intentos)",
)
VERIFY = _pattern(
    r"ship|(?:before|until|for|keep|start) shipping|shipping (?:it|this|that|them|the (?:app|api|service|release))",
    r"(?:be|been|is|get) shipped|deploy\w*|releas\w+|pre-?pr|pre-?deploy\w*|pre-?merge|ready|go(?:es)? live|promot\w+",
    r"verif\w+(?! (?:that )?(?:the |a |an |its |each )?(?:\w+ )?(?:jwt|tokens?|signatures?|passwords?|e?mails?|"
    r"audience|hash))",
    r"(?:before|for) (?:the |a |our )?(?:pull request|merge|release)|before merging|antes de (?:la pr|fusionar|"
    r"mergear|publicar)",
    r"tag and \w+|pon(?:er|lo|la|gamos)?\b[^.\n]{0,40}\ben producción|list[oa]s? para (?:salir|subir|publicar)",
    r"(?:quality )?gates?|ci(?:/cd)?|github actions|publish\w*|rollout|roll out|launch\w*",
    r"desplieg\w+|despleg\w+|lanzar|lanzamiento|publica\w*|est(?:á|án|a|amos) list[oa]s?|list[oa]s? para",
    r"promocion\w+|verifica\w*|verificación",
    r"sube(?:lo|la)? a producción|poner en producción|pasa(?:r)? a producción|entrega(?:r)?",
)
BUILT = _pattern(
    r"(?:rest )?apis?|apps?|applications?|endpoints?|views?|viewsets?|serializers?|routers?|routes?|pages?|forms?",
    r"admin|models?|sites?|services?|crud|backend|websites?|microservices?|functions?|class(?:es)?|modules?|"
    r"commands?",
    r"aplicación|vistas?|rutas?|páginas?|formularios?|modelos?|servicios?|sitio|funci(?:ón|ones)|clases?|módulos?|"
    r"comandos?",
)
BACKGROUND = _pattern(
    r"celery|beat|background\w*|async(?:hronous)? (?:jobs?|tasks?|processing)|jobs?|queues?|queued|workers?|cron\w*",
    r"schedul\w+|periodic\w*|nightly|every (?:night|hour|day|minute|week)|asynchronously|in a queue|hourly|daily job",
    r"de forma asíncrona|asíncronamente|cada (?:semana|minuto)",
    r"segundo plano|tareas? (?:programadas?|periódicas?|asíncronas?)|colas?|programad[oa]s?|cada (?:noche|hora|día)",
)
OWN_BACKGROUND = _pattern(r"background ?tasks?")
CELERY = _pattern(r"celery|beat")
DJANGO = _pattern(
    r"django\w*|drf|viewsets?|\w+ViewSet|manage\.py|select_related|prefetch_related|querysets?|server-rendered",
    r"admin site",
)
FASTAPI = _pattern(r"fastapi|pydantic|uvicorn|starlette|apirouter|asgi|BackgroundTasks")
ML = _pattern(
    r"pytorch|torch|train(?:s|ed|ing)?|gpus?|cuda|loss(?: function)?|epochs?|fine-?tun\w+|embeddings?",
    r"sklearn|scikit-learn|xgboost|lightgbm|neural|classifier|regressor",
    r"inference|machine learning|ml|notebooks?|\w+\.ipynb|feature store",
    r"data ?loaders?|checkpoints?|recommend(?:er|ers|ation|ations)|recsys|ranking model|rank(?:s|ing)?|top-?k",
    r"entren\w+|recom(?:end|iend)\w+|clasificador|red neuronal|aprendizaje automático|cuaderno",
)
TRAIN = _pattern(
    r"pytorch|torch|train(?:s|ed|ing)?|gpus?|cuda|loss(?: function)?|epochs?|fine-?tun\w+|embeddings?|neural",
    r"data ?loaders?|checkpoints?|entren\w+|red neuronal",
)
RECSYS = _pattern(
    r"rank(?:s|ed|ing|er)?|recommend(?:s|er|ers|ation|ations)?|recsys|top-?k|top \d+|feed|candidate generation",
    r"recom(?:end|iend)\w+|candidate retrieval|clasifica por relevancia|ranking",
)
STRONG_ML = _pattern(
    r"pytorch|torch|gpus?|cuda|recsys|recommender|training loop|epochs?|train \w+ \w*model|entrena\w* \w+ modelo"
)
NOTEBOOK = _pattern(r"notebooks?|(?<![/-])[\w/.-]+\.ipynb|jupyter|cuaderno")  # a path is read from its start alone
PRODUCTION = _pattern(r"production\w*|deploy\w*|service|pipeline|serve|serving|producción|servicio|desplieg\w+")
WEB = _pattern(
    r"web|rest|https?|apis?|endpoints?|apps?|sites?|pages?|forms?|microservices?|backend|crud|página|formularios?|"
    r"sitio",
)
CORE = _pattern(
    r"framework|choose|valid\w+|schema|serializers?|pydantic|models?|migrations?|database|postgres\w*|orm|"
    r"quer(?:y|ies)",
    r"persist\w*|repositor(?:y|ies)|transactions?|input|payload|uploads?|gates?|stor(?:e|es|ed|age)|sav(?:e|es|ing)",
    r"modelos?|migraci(?:ón|ones)|base de datos|consultas?|esquema|guard(?:a|ar)|entrada",
)
SINCE = re.compile(
    r"(?<!\w)(?:(?:ever )?since|after|following|desde|tras|después de|a raíz de)\s+(?:[\w'’]+\s+){0,4}?"
    r"(?:deploy\w*|releas\w+|roll-?out|launch|desplieg\w+|lanzamiento|publicación|ci)(?!\w)",
    re.IGNORECASE,
)
"""When it happened: no wish to ship."""
HARMLESS = re.compile(
    r"(?<!\w)(?:is it|would it be|it is|it's) (?:really |still )?safe to(?!\w)|"
    r"(?<!\w)(?:es|sería) seguro (?=\w+[aei]r(?!\w))",
    re.IGNORECASE,
)
"""Whether something may be done without harm: no question of security."""
FILLER = re.compile(
    r"^\s*(?:please|pls|can you|could you|(?:i|we)(?:'d| would)? (?:want|need|like|have)(?: you)? to|let'?s|"
    r"help me(?: to)?|quiero|necesito|hay que|puedes|podrías|por favor|vamos a|me gustaría)\s+",
    re.IGNORECASE,
)
CLAUSE = re.compile(
    r"(?:[,;:]|[.!?](?=\s|$))|(?<!\w)(?:and|then|with|plus|including|y|e|luego|después|con|además|más)(?!\w)",
    re.IGNORECASE,
)
SCOPE = re.compile(
    r"(?<!\w)(?:for|of|in|on|to|into|from|against|under|behind|using|that|which|when|where|"
    r"para|de|del|en|al|a (?:la|los|las)|por|contra|"
    r"que|cuando|donde|desde|mediante)(?!\w)",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
BACK = re.compile(
    r"^\s*(?:please )?(?:write|add|do|fix|make|create|mend|escríbe|añáde|haz|créa)(?: )?(?:them|it|those|that|"
    r"l[oa]s?)\s*$",
    re.IGNORECASE,
)
"""An order on what was named before."""
PATH = re.compile(r"(?<![\w/.-])(?:\./)?((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|ipynb))")
