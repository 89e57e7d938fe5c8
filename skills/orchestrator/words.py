"""Word lists of the prompt score, in English and Spanish (performance orchestrator, request analysis).

They are data: short, lower case, without inflections where a pattern takes care of those.
"""

import builtins
import re
import unicodedata


def spoken_forms(text: str) -> frozenset[str]:
    """The words, also as they are typed without accents (`anade` for `añade`)."""
    found = text.split()
    bare = ["".join(sign for sign in unicodedata.normalize("NFD", word) if sign.isascii()) for word in found]
    return frozenset([*found, *bare])


BUG_VERBS = spoken_forms(
    "fix repair solve resolve debug correct patch arregla arreglar corrige corregir soluciona solucionar repara "
    "reparar depura depurar resuelve resolver subsana subsanar"
)
FEATURE_VERBS = spoken_forms(
    "add implement build create write make introduce support expose enable generate develop design integrate "
    "añade añadir agrega agregar implementa implementar crea crear escribe escribir construye construir genera "
    "generar diseña diseñar desarrolla desarrollar integra integrar habilita habilitar soporta soportar incorpora "
    "incorporar expón exponer"
)
REFACTOR_VERBS = spoken_forms(
    "refactor clean extract rename migrate move split simplify restructure reorganize redesign upgrade replace "
    "deduplicate inline convert optimize optimise decouple consolidate unify tidy improve speed reduce shrink "
    "flatten untangle port swap merge modernize reorganise restructure rewrite refactoriza refactorizar limpia "
    "limpiar extrae extraer renombra renombrar migra migrar mueve mover divide dividir simplifica simplificar "
    "reestructura reestructurar reemplaza reemplazar optimiza optimizar rediseña rediseñar unifica unificar "
    "separa separar reorganiza reorganizar reescribe reescribir convierte convertir sustituye sustituir mejora "
    "mejorar acelera acelerar reduce reducir agiliza agilizar ordena actualiza actualizar"
)
REMOVING_VERBS = spoken_forms(
    "remove delete drop purge strip elimina eliminar borra borrar quita quitar suprime suprimir"
)
OTHER_WRITE_VERBS = spoken_forms(
    "update change set edit modify adjust extend revert bump configure install test cover run document validate "
    "use apply handle return let cambia cambiar modifica modificar ajusta ajustar configura configurar prueba "
    "probar documenta documentar valida validar ejecuta ejecutar usa usar despliega desplegar haz"
)
READ_VERBS = spoken_forms(
    "explain investigate analyze analyse review check find show list describe compare audit look read search "
    "trace profile measure verify inspect summarize understand explica explicar investiga investigar analiza "
    "analizar revisa revisar comprueba comprobar busca buscar muestra mostrar lista listar describe compara "
    "comparar audita auditar verifica verificar"
)
STUDY_VERBS = spoken_forms(
    "explain investigate analyze analyse review check scan describe compare audit summarize understand inspect explica "
    "explicar investiga investigar analiza analizar revisa revisar comprueba comprobar describe compara comparar "
    "audita auditar resume resumir"
)
WRITE_VERBS = BUG_VERBS | FEATURE_VERBS | REFACTOR_VERBS | REMOVING_VERBS | OTHER_WRITE_VERBS
ACTION_VERBS = WRITE_VERBS | READ_VERBS

BUG_NOUNS = spoken_forms(
    "bug bugs error errors broken traceback crash crashes crashing fails failing failure exception regression "
    "wrong flaky hangs deadlock deadlocks fallo fallos falla fallan fallando roto rota rompe excepción errores"
)
FEATURE_NOUNS = spoken_forms("new feature endpoint nuevo nueva funcionalidad")
REFACTOR_NOUNS = spoken_forms("refactoring cleanup migration refactorización migración")
VAGUE = re.compile(
    r"(?<!\w)(?:things?|stuff|something|somehow|whatever|it works|better|nice|nicer|asap|etc|algo|cosas?|"
    r"mejor|"
    r"bonito|lo de)(?!\w)",
    re.IGNORECASE,
)
QUANTITY = re.compile(
    r"\d+(?:\.\d+)?\s*(?:%|ms\b|s\b|sec|min|hours?|days?|lines?|files?|tests?|rows?|items?|users?|"
    r"requests?|attempts?|retries|cases?|digits?|functions?|columns?|cents?|seconds?|characters?|orders?|weeks?|"
    r"months?|"
    r"veces|minutos?|horas?|días?|pruebas?|consultas?|usuarios?|peticiones|páginas?|pedidos?|intentos?|casos?|"
    r"columnas?|"
    r"quer(?:y|ies)|[kmg]b\b|chars?|times\b|x\b|pages?|per\b|segundos?|filas?|líneas?|ficheros?|archivos?)"
    r"|(?<!\w)(?:all|only|every|each|exactly|at (?:least|most)|todos|todas|sólo|solo|cada|"
    r"exactamente)(?!\w)"
    r"|(?<![\w.])(?:[2-5]\d\d)(?![\w.])",
    re.IGNORECASE,
)
ARCHITECTURE = re.compile(
    r"(?<![\w</])(?:architecture|services?(?: layer)?|serializers?|views?|viewsets?|models?|middleware|"
    r"endpoints?|routers?|"
    r"controllers?|repositor(?:y|ies)|layers?|modules?|apps?|managers?|signals?|tasks?|queues?|schemas?|"
    r"multi-?tenant|"
    r"arquitectura|servicios?|vistas?|modelos?|capas?|módulos?|controlador(?:es)?|repositorios?)(?![\w/])|\w+(?:ViewSet|Serializer|Service|"
    r"Manager|View)\b",
    re.IGNORECASE,
)
STACK = re.compile(
    r"(?<!\w)(?:python|django|drf|django rest framework|fastapi|flask|sqlalchemy|pydantic|celery|redis|"
    r"postgres(?:ql)?|"
    r"mysql|sqlite|pytest|docker|alembic|asyncio|uvicorn|gunicorn|kafka|rabbitmq|graphql|numpy|pandas|"
    r"pytorch)"
    r"(?:\s*\d+(?:\.\d+)*)?(?!\w)",
    re.IGNORECASE,
)
_CODE = r"(?:4(?:0\d|1[0-8]|2[1-9]|31|51)|50[0-8])s?"
ERROR_TEXT = re.compile(
    r"Traceback|\b\w*(?:Error|Exception)\b\s*:?|\berror:|\bHTTP\s*[45]\d\d\b|\b(?:status|código|code|"
    r"returns?|devuelve)\s+[45]\d\d\b"
    r"|\b(?:[Tt]he|[Aa]n?|[Uu]n|[Ee]l|[Ll]os|with|con|error|gives?|gets?|answers?|responds?|throws?|responden?|dan?|"
    rf"returning|respuesta|response|fallos?|errores)\s+{_CODE}"
    r"(?=\s*(?:[.,;:!?)\n`]|$)|\s+(?:in|on|for|when|at|from|of|if|and|or|instead|"
    r"errors?|responses?|en|al|cuando|del?|por(?! ciento)|si|y|o|desde|para|tras)\b)"
    rf"|\b{_CODE}\s+(?:errors?|responses?)\b"
    r"|[\"“'«][^\"”'»\n]{8,}[\"”'»]",
)
EDGE_CASES = re.compile(
    r"(?<!\w)(?:edge cases?|empty|null|none|missing|invalid|duplicates?|duplicated|concurren\w+|race|"
    r"timeouts?|boundar\w+|"
    r"overflow|unicode|negative|zero|malformed|expired|too (?:long|large|many)|unless|except|"
    r"no results?|vací[oa]s?|nul[oa]s?|inválid[oa]s?|duplicad[oa]s?|caducad[oa]s?|cero|sin resultados?|"
    r"límites?)(?!\w)",
    re.IGNORECASE,
)
CURRENT_STATE = re.compile(
    r"(?<!\w)(?:currently|now|today|at the moment|existing|already|right now|so far|before|used to|where|"
    r"instead of|"
    r"allows?|returns?|raises?|fails?|does(?:n't| not)|is(?:n't| not)|since|because|"
    r"actualmente|en este momento|de momento|ahora|hoy|ya|existente|donde|devuelve|permite|porque|en vez de)(?!\w)",
    re.IGNORECASE,
)
TAGS = re.compile(r"<(task|context|expected_output|constraints|example)>", re.IGNORECASE)
STEPS = re.compile(r"^\s*(?:\d+[.)]|[-*•])\s+\S", re.MULTILINE)
OUTPUT_FORMAT = re.compile(
    r"(?<!\w)(?:(?:return|devuelve)(?! (?:with |con )?(?:an? |un )?[45]\d\d)|format|formatted|as (?:json|a table|"
    r"yaml|csv|markdown|a list)|(?:in|en|como) (?:csv|yaml|markdown|una? (?:lista|diff)|lista)|json|table|output|"
    r"respond with|"
    r"devolver|formato|tabla|salida)(?!\w)",
    re.IGNORECASE,
)
EXPECTED = re.compile(
    r"(?<!\w)(?:expect(?:ed|s)?|should (?:return|be|give|raise|print)|for example|e\.g\.|esperad[oa]|"
    r"debería|(?:must|debe) (?:return|answer|devolver|responder)|se espera|espero (?:que|una?)|"
    r"por ejemplo)(?!\w)|→|=>|->",
    re.IGNORECASE,
)
SUCCESS = re.compile(
    r"(?<!\w)(?:done when|must|should pass|so that|acceptance|success|criteria|until|100 ?%|"
    r"(?:it )?is done (?:if|when)|(?:hecho|listo|terminado|acabado) cuando|debe|deben|tiene que|criterios?|"
    r"hasta que|para que)(?!\w)",
    re.IGNORECASE,
)
VERIFY = re.compile(
    r"(?<!\w)(?:pytest|tox|nox|mypy|ruff|manage\.py test|make test|npm test|run (?:the )?\w+|"
    r"tests? (?:pass|green)|"
    r"verify (?:it )?with|verifica(?:lo)? con|(?:corre|lanza|pasa)r? l[oa]s (?:tests?|pruebas)|"
    r"ejecuta\w*|tests? pasan)(?!\w)",
    re.IGNORECASE,
)
CONSTRAINTS = re.compile(
    r"(?<!\w)(?:don't|do not|dont|without|only|never|avoid|keep|must not|no (?:new|change|breaking)|"
    r"backwards?[- ]compatible|"
    r"depends? on|sin|sólo|solo|nunca|evita|mantén|no (?:cambies|toques|rompas))(?!\w)",
    re.IGNORECASE,
)
TECHNICAL = re.compile(
    r"(?<!\w)(?:api|endpoints?|authentication|auth|authorization|validation|email|token|jwt|cache|caching|"
    r"query|queries|"
    r"queryset|index|migrations?|serializers?|viewsets?|models?|services?|transactions?|session|cookie|"
    r"csrf|cors|pagination|"
    r"filters?|schema|async|await|coroutine|thread|worker|queue|webhook|celery|redis|sql|orm|join|"
    r"foreign key|constraint|"
    r"n\+1|select_related|prefetch_related|fixture|mock|coverage|type hints?|decorator|middleware|"
    r"permission|throttl\w+|"
    r"rate limit\w*|logging|exception|traceback|json|http|rest|openapi|swagger|tenant\w*|usuario|consulta|"
    r"migración)(?!\w)"
    r"|\w+(?:ViewSet|Serializer|Service|Manager)\b",
    re.IGNORECASE,
)
DJANGO = re.compile(
    r"(?<!\w)(?:django|drf|viewsets?|serializers?|querysets?|select_related|prefetch_related|manage\.py|"
    r"middleware|orm|"
    r"migrations?)(?!\w)|\w+(?:ViewSet|Serializer)\b",
    re.IGNORECASE,
)
TENANCY = re.compile(
    r"(?<!\w)(?:multi-?tenan\w*|tenan(?:t|ts|cy)|tenant_id|company_id|django-tenants)(?!\w)", re.IGNORECASE
)
TESTING = re.compile(r"(?<!\w)(?:tests?|testing|pytest|coverage|tested|prueba|pruebas|cobertura)(?!\w)", re.IGNORECASE)
FILE = re.compile(r"(?<![\w/.])[\w./-]*\w\.(?:py|ts|js|tsx|html|sql|md|toml|ya?ml|json|cfg|ini)\b")
SYMBOL = re.compile(
    r"`([^`\n]{2,80})`|(?<![\w/.])((?:[a-z_]\w*\.){2,}\w+|[A-Z]\w+\.[a-z_]\w+)(?![\w/])"
    r"|(?<![\w.])([A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+)(?!\w)|(?<![\w.])([a-z]+(?:_[a-z0-9]+)+)(?=\()"
    r"|(?<![\w.])([a-z][a-z0-9]+)(?=\(\))"
)
APP_FILE = re.compile(r"(?<![\w/])(?:apps|src|app)/[\w./-]+")
BUILT_IN = frozenset(
    [
        *dir(builtins),
        *("IntegrityError", "OperationalError", "ProgrammingError", "DataError", "ValidationError", "HTTPException"),
        *("DoesNotExist", "MultipleObjectsReturned", "ObjectDoesNotExist", "PermissionDenied"),
        *(
            "FastAPI",
            "OpenAPI",
            "GitHub",
            "GitLab",
            "PostgreSQL",
            "GraphQL",
            "JavaScript",
            "TypeScript",
            "PyPI",
            "PyTorch",
        ),
        *(
            "NumPy",
            "RabbitMQ",
            "MongoDB",
            "DynamoDB",
            "OAuth",
            "OAuth2",
            "WebSocket",
            "WebSockets",
            "PayPal",
            "LinkedIn",
        ),
        *(
            "DjangoORM",
            "PyCharm",
            "VsCode",
            "DevOps",
            "LangChain",
            "CloudFront",
            "BigQuery",
            "ElasticSearch",
            "IPv4",
            "IPv6",
        ),
    ]
)
"""Names of the language, of products and of well-known errors: they say what is used or what happens, not where."""
OPEN = re.compile(r"^.*\[[^\[\]\n]{3,120}\?\][ \t]*$", re.MULTILINE)
"""A question that a template left open."""
FENCE = re.compile(r"```.*?```|~~~.*?~~~", re.DOTALL)
_ENDLESS = re.compile(r"(\S{120})\S+|(\s{40})\s+")
WORD = re.compile(r"[^\W\d_]+(?:'[a-z]+)?")
SPOKEN = re.compile(r"(?<![\w./-])[^\W\d_]+(?:['’][a-z]+)?(?![\w/-])(?!\.\w)(?!\()")
"""A word that is no part of a path, of an identifier or of a call."""


def readable(text: str) -> str:
    """`text` with what nobody typed cut short: pasted data without a space, pages of blank lines.

    The patterns of this page look for words; on a run of thousands of letters they would need seconds.
    """
    return _ENDLESS.sub(lambda found: found[1] or found[2], text)
