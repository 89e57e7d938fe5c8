"""How orders, questions, wishes and symptoms are worded, in English and Spanish (performance orchestrator, "
"planning)."""

import re

from skills.orchestrator.words import spoken_forms


def _said(*parts: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE)


BUILDING = spoken_forms(
    "schedule send let allow permit translate log record store save cache restrict limit notify import export "
    "sync synchronise synchronize hide display render publish connect load emit track paginate sort filter "
    "authenticate authorize serve stream upload download accept reject require prevent ensure attach include "
    "populate seed insert append provide prepare calculate compute count show highlight validate return redirect "
    "throttle protect secure encrypt hash sign scaffold bootstrap hook wire trigger retry queue archive restore "
    "invite assign tag label mark group warn alert give get put set offer bind compress format escape parse "
    "attest define declare plug pin lock start release haz permite permitir envía enviar manda programa programar "
    "muestra mostrar guarda guardar traduce traducir publica publicar registra registrar limita limitar protege "
    "proteger oculta ocultar notifica notificar sube pon mete exporta exportar importa importar conecta conectar "
    "asegura restringe avisa calcula calcular incluye incluir sincroniza cifra pagina filtra reintenta prepara "
    "preparar da dale ponle monta montar define definir cachea"
)
"""Verbs that order something new where they stand first; elsewhere many of them are nouns."""

TIDYING = spoken_forms(
    "thin break trim prune dedupe hoist lift untangle wrap unwrap rework revise polish modularise modularize "
    "centralise centralize encapsulate abstract rewire retire pasa consolida consolidar junta agrupa centraliza "
    "modulariza desacopla abstrae saca trocea parte acorta"
)
"""Verbs that order a change of form where they stand first."""

READING = spoken_forms(
    "list find search walk guide teach recommend suggest advise lista listar busca buscar muéstrame enséñame dime "
    "cuéntame recomienda recomiéndame sugiere aconseja"
)
"""Verbs that ask for an answer where they stand first."""

BUG_LABELS = ("bug", "fix", "bugfix", "hotfix", "error", "fallo")
LABEL = re.compile(rf"^\W*({'|'.join(BUG_LABELS)}|feature|feat|refactor|question|pregunta)\s*[:\-–]\s", re.IGNORECASE)
POLITE = re.compile(
    r"^(?:[\W_]*(?:please|pls|plz|hi|hey|hello|ok|okay|so|now|then|next|also|just|first|quickly|and|let['’]?s|"
    r"por favor|hola|vale|ahora|luego|después|también|primero|y|bueno|porfa))+(?!\w)[\s,:.!]*",
    re.IGNORECASE,
)
ASKED_TO = re.compile(
    r"(?<!\w)(?:can|could|would|will) you (?:please |also |just )?([a-z]+)|"
    r"(?<!\w)(?:puedes|podrías|podéis|me) ([a-záéíóúñ]+)",
    re.IGNORECASE,
)
EXPLAIN = _said(
    r"(?:show|tell|give|walk|guide|teach) (?:me|us) (?:which|what|why|how|where|the list|through|about|"
    r"an? (?:overview|idea|table|list|summary|count|report))",
    r"(?:dame|hazme|dime) (?:una (?:tabla|lista|idea)|un (?:resumen|listado|informe))",
    r"(?:walk|guide|talk) (?:me|us) through",
    r"help me (?:to )?understand",
    r"(?:show|list|tell) (?:me|us)",
)
WISH = _said(
    r"(?:we|i|users?|customers?|they|people) (?:really |also )?(?:need|want|would like)",
    r"(?:i|we)['’]d like",
    r"it would be (?:nice|good|great)",
    r"(?<!but )(?<!it )should (?:be able|also|only|not|never|get|see|have)",
    r"(?:there|admins?|users?|customers?) (?:should|must|may|can only|has to|have to|needs? to)",
    r"only [\w ]{2,30} (?:may|can|should)",
    r"quiero|queremos|necesito|necesitamos|me gustaría|nos gustaría|hace falta|hay que|estaría bien",
    r"deber(?:ía|ían) poder|debe[n]? (?:poder|recibir|ver|tener)|tiene[n]? que poder",
)
SYMPTOM = _said(
    r"can['’]?t|cannot|can not|couldn['’]t|won['’]t|doesn['’]t|does not|don['’]t|didn['’]t|isn['’]t|aren['’]t",
    r"no longer|never|stop(?:s|ped) \w+ing|fail(?:s|ed|ing|ure)?|broke(?:n)?|breaks|crash\w*|hangs?|freezes?|stuck",
    r"wrong(?:ly)?|incorrect(?:ly)?|twice|duplicate[sd]?|disappear\w*|vanish\w*|lost|loses|leaks?|times? out|throws?",
    r"raises?|empty|blank|gone|is missing|are missing|even though|although|off by|too slow|takes? forever",
    r"works?(?:ed)?\b.{0,60}\bbut not|but (?:it )?should (?:be|have)|forever|at random|out of nowhere",
    r"(?:answers?|returns?|gives?|responds?|shows?|getting|get)(?: with)?(?: an?)? [45]\d\d",
    r"traceback|bugs?|errors?|exceptions?|flaky|deadlocks?|regression|[a-z]+(?:error|exception)",
    r"fall(?:a|an|aba|ó|ando|o|os)|rot[oa]s?|se (?:rompe|cuelga|cae|queda|pierde)n?|lanza|peta|casca",
    r"incorrect[oa]s?|duplicad[oa]s?|dos veces|desaparece\w*|sigue(?:n)? (?:sin|\w+ndo)",
    r"(?:devuelve|responde)n? [45]\d\d|dan? (?:un )?(?:error|[45]\d\d)|errores|excepción|me (?:sale|da|salta)",
    r"no (?:carga|funciona|va|sale|llega|aparece|deja|puede|entra|responde|guarda|muestra|envía|hace)n?",
    r"no (?:se|me|nos|puedo|podemos)",
)
BETTER = _said(
    r"faster|quicker|cleaner|simpler|shorter|smaller|leaner|tidier|clearer|more (?:readable|efficient|modular)",
    r"less (?:complex|code)|easier to (?:read|test|maintain|understand|follow|change)",
    r"better|nicer|into (?:smaller|several|one|two|three|a single|its own)|get rid of|"
    r"(?:pull|take|bring|lift|push|put|factor|carve|get) .{1,60}(?:out of|into|under one|together|apart)|(?:use|"
    r"using) .{1,60} instead of",
    r"(?<!el )(?<!la )(?<!los )(?<!las )(?<!su )mejor",
    r"más (?:rápid\w+|limpi\w+|simple\w*|corto|corta|clar\w+|legible\w*|eficiente\w*|sencill\w+)|en vez de usar",
)
GOES_WRONG = re.compile(
    r"(?:me |nos )?(?:dan? (?:un |una )?(?:error(?:es)?|fallos?|excepción|timeout|problemas?|[45]\d\d)"
    r"|(?:lanza|tira|suelta) (?:un |una )?(?:error(?:es)?|excepción|\w+Error)"
    r"|(?:guarda|calcula|muestra|envía|manda|carga|importa|exporta|redondea|suma|ordena|cuenta) (?:mal|dos veces)"
    r")(?!\w)",
    re.IGNORECASE,
)
"""What goes wrong, where the verb could be an order: `da error`, `calcula mal`."""
UNUSED = _said(
    r"unused|dead|old|legacy|deprecated|obsolete|noisy|duplicat\w+|redundant|unnecessary|leftover|stale|useless",
    r"comment(?:s|ed)?|imports?|prints?|debug|logs?|console|todos?|flags?|repeat\w*|sin usar|muert[oa]s?|viej[oa]s?",
    r"antigu[oa]s?|obsolet[oa]s?|repetid[oa]s?|sobran\w*|innecesari[oa]s?|comentarios?",
)
FINITE = spoken_forms(
    "is are was were isn't aren't wasn't has have had hasn't haven't does doesn't did didn't do don't can can't "
    "cannot will won't goes go says gets takes shows gives returns ignores sends redirects breaks fails stops "
    "works keeps comes runs forgets misses skips leaves leads drops loses throws raises hangs crashes hides "
    "rejects accepts expires blocks answers responds ends needs makes puts looks seems stays complains complain "
    "disappears vanishes produces prints calls uses adds deletes removes writes reads counts sums rounds sorts "
    "loads saves renders opens closes jumps sticks freezes leaks overflows exceeds times waits never always "
    "sometimes está están es son tarda tardan sale salen hace hacen da dan se llega llegan aparece aparecen "
    "muestra devuelve falla fallan no queda quedan tiene tienen va van sigue siguen pierde pierden lanza"
)
"""Verbs that, soon after the first word, show that it is the subject of a statement."""

SUBORDINATE = spoken_forms(
    "before when if that which after because so who while unless until where whenever whether and or cuando si "
    "que porque donde mientras hasta para y o antes después"
)
"""Words with which the main clause ends."""

NOUNS_TOO = spoken_forms(
    "search import export log test tests filter cache build deploy record store check display sort load queue "
    "archive hash sign label group list review report update upload download sync track stream limit set release "
    "design index form request trigger hook mark tag warn alert retry start stop lock change support patch split "
    "merge move sum"
)
"""Orders that may as well be the subject of a statement: `search returns nothing`."""

QUESTION = frozenset(
    [
        *(
            "what",
            "why",
            "how",
            "where",
            "which",
            "who",
            "whose",
            "is",
            "are",
            "was",
            "were",
            "does",
            "did",
            "has",
            "have",
        ),
        *("should", "would", "could", "can", "may", "qué", "por", "cómo", "cuándo", "dónde", "cuál", "cuáles", "quién"),
        *("es", "está", "están", "hay", "son", "tiene", "debo", "debería", "puedo", "puede", "sabes"),
    ]
)
"""Words that begin a question, also one without its mark. `when` and `do` rather begin a sentence or an order."""

SUBJECTS = frozenset(
    [
        *("the", "a", "an", "this", "these", "those", "my", "our", "your", "their", "his", "her", "its", "it", "there"),
        *("when", "if", "after", "before", "since", "as", "some", "many", "most", "nobody", "everybody", "on", "in"),
        *("el", "la", "los", "las", "un", "una", "mi", "mis", "nuestro", "nuestra", "su", "sus", "este", "esta"),
        *("estos", "estas", "cuando", "si", "al", "desde", "me", "se", "nos", "algunos", "algunas"),
    ]
)
"""Words that begin a statement."""

ANSWERS = frozenset(
    [
        *("i", "we", "you", "they", "he", "she", "that", "here", "yes", "no", "thanks", "thank", "great", "perfect"),
        *(
            "good",
            "fine",
            "nice",
            "cool",
            "right",
            "sure",
            "continue",
            "proceed",
            "go",
            "agreed",
            "looks",
            "ok",
            "okay",
        ),
        *("sí", "gracias", "perfecto", "bien", "eso", "esto", "yo", "sigue", "continúa", "adelante", "genial", "hecho"),
        *(
            "there's",
            "it's",
            "that's",
            "what's",
            "i'm",
            "we're",
            "for",
            "with",
            "from",
            "to",
            "at",
            "con",
            "para",
            "en",
        ),
    ]
)
"""Words that begin neither an order nor a statement about the program."""

OBJECTS = frozenset(
    [
        *("the", "a", "an", "this", "that", "these", "those", "all", "every", "each", "any", "our", "my", "your", "it"),
        *("them", "up", "out", "down", "only", "more", "two", "three", "both"),
        *("el", "la", "los", "las", "un", "una", "este", "esta", "todos", "todas", "cada", "lo", "al", "que"),
    ]
)
"""Words that, second in a sentence, show that its first is an order."""
