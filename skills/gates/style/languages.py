"""Which language a comment is written in, by its alphabet and its most frequent words."""

from skills.gates.engine.patterns import lazy

_WORD = lazy(r"[^\W\d_]+")


def word_set(text: str) -> frozenset[str]:
    """The words of a text with blanks between them."""
    return frozenset(text.split())


_ENGLISH = word_set(
    "a add after all an and are as at be because before but by can check data default do does each error file first "
    "for from get has have if in into is it last list make must name new no not of on one only or remove return set "
    "should so test that the this to two type use used user value we when which will with"
)
_LANGUAGES = {
    "Spanish": word_set(
        "agregar al algo ahora antes aquí archivo así aunque borrar busca cada calcula calcular cambiar cambio cambios "
        "campo cliente clientes como comprobar comprueba con consulta contraseña correo crea crear debe deben después "
        "cuando datos del desde devolver devuelve donde el eliminar empresa entre esta este esto estos está fecha "
        "función guarda guardar hace hacer hasta hay las lista los más mientras mismo muy no nueva nuevo obtener "
        "obtiene para pedido pedidos pero por porque prueba puede pueden que retorna se según ser si sin sobre solo "
        "sólo son también todas todos una usuario usuarios vacía vacío validar valor valores verifica ya"
    ),
    "Portuguese": word_set(
        "ainda antes ao aos aqui arquivo arquivos até banco busca buscar cada cliente clientes com como criar da "
        "dados das data depois devolve devolver do dos em entre então esta este está estão função isso já linha "
        "linhas lista mais mas mesmo muito nas nos nova novo não número obter os para pedido pedidos pela pelo "
        "pode podem por porque qual quando que remover retorna salvar se seja sem sempre ser seu sobre são só "
        "também todos uma usuário validar verifica você"
    ),
    "French": word_set(
        "afin ainsi alors après au aussi aux avant avec banque ce ces cette chaque comme créer dans depuis des "
        "donc données du elle encore enregistrer entre est et fichier fichiers fois fonction ici il le les ligne "
        "lignes liste lors lorsque mais ne nous nouveau nouvelle obtenir ou où par pas peut plus pour quand que "
        "qui renvoie retourne sans sera ses si sinon sont supprimer sur toujours tous toutes très une utilisateur "
        "utilisateurs valeur valeurs valider vers vérifie être"
    ),
    "German": word_set(
        "aber alle alles anzahl auch auf aus bei benutzer bevor damit danach das dass datei daten dem den der des "
        "die diese diesem diesen dieser dieses durch ein eine einem einen einer enthält erstellen falls funktion "
        "für gibt hier im ist jede jeder jetzt kann kein keine können leer liste löschen mehr mit muss nach neue "
        "neuer nicht noch nur ob oder ohne prüfen schon sein sich sind soll sonst speichern und unter vom von vor "
        "weil wenn werden wie wird wurde wurden zeile zeilen zu zum zur zurück zählen über"
    ),
    "Dutch": word_set(
        "aan alle als bestaat bij bovenaan dan dat deze dit een functie gebruiker gebruikers gebruikt geen gegevens "
        "haal haalt het hier maar maak maakt met moet naar niet nog ook om onder ons op opslaan sla te tot uit van "
        "verwijder voor waarde wanneer worden wordt zijn zodat"
    ),
    "Polish": word_set(
        "ale bazy być czy dane danych dla dodaj jeśli jeżeli jest już lista listy listę lub nie nowa nowy od oraz po "
        "pobierz przed przez przy pusta pusty się sprawdź sprawdza są tutaj tylko usuń użytkownik użytkownika "
        "użytkowników ustaw wartość wszystkie wszystkich zapisz zwraca zwróć że żeby "
        "byc jesli jezeli ktora ktore ktorej ktory ktorych ktorzy sie zeby wartosc uzytkownika uzytkownikow"
    ),
    "Turkish": word_set(
        "ama bir boş bu bütün daha değer değil değilse eğer ekle fonksiyon gibi göre hata her için ile kadar kontrol "
        "kullanıcı kullanıcının kullanıcıyı listesi olan olarak oluştur sonra sil tüm varsa ve veri verileri veya "
        "veritabanı yeni yoksa çok"
    ),
    "Italian": word_set(
        "alla alle anche ancora che cliente clienti come con creare dal dalla dati dei del della delle deve dopo "
        "dove eliminare essere fino funzione già gli ha hanno il lista ma molto nei nel nella non numero nuova "
        "nuovo ogni ottenere per perché più poi quando quello questa questo qui quindi restituisce righe salvare "
        "sempre senza si solo sono sul sulla tra tutte tutti una utente validare valore valori è"
    ),
}
_SCRIPTS = lazy(
    r"(?P<Russian>[\u0400-\u04ff])|(?P<Chinese>[\u4e00-\u9fff])|(?P<Japanese>[\u3040-\u30ff])|(?P<Korean>[\uac00-\ud7af])"
    r"|(?P<Arabic>[\u0600-\u06ff])|(?P<Hebrew>[\u0590-\u05ff])|(?P<Greek>[\u0370-\u03ff])|(?P<Hindi>[\u0900-\u097f])"
    r"|(?P<Thai>[\u0e00-\u0e7f])"
)
_LATIN = lazy(r"\bnon-|\b(?:per se|et al|ad hoc|vice versa|de facto|a priori|in situ|pro rata)\b")
_MOST, _MOST_OF_TWO = 0.3, 0.4

HINTS: tuple[bytes, ...] = (
    b" para ", b" los ", b" las ", b" que ", b" del ", b" por ", b" usuario", b" les ", b" des ", b" pour ", b" est ",
    b" und ", b" nicht ", b" der ", b" das ", b" die ", b" che ", b" della ", b" sono ", b" uma ", b" dos ", b" el ",
    b" una ", b" het ", b" een ", b" van ", b" niet ", b" bir ", b" nie ", b"\xc3", b"\xc4", b"\xc5",
    b"\xd0", b"\xd1", b"\xe3\x81", b"\xe3\x82", b"\xe3\x83", b"\xe4", b"\xe5", b"\xe6", b"\xe7",
    b"\xe8", b"\xe9", b"\xea", b"\xeb", b"\xec", b"\xed", b"\xd8", b"\xd9", b"\xd7", b"\xce", b"\xe0",
)  # fmt: skip
"""Of these at least one stands in the bytes of every file with a sentence in one of the languages."""


def foreign_language(text: str) -> str | None:
    """The language of a sentence that is plainly not English, None for English and for what is too short to tell."""
    if not text.isascii():
        letters = sum(map(str.isalpha, text))
        found = [match.lastgroup for match in _SCRIPTS.finditer(text)]
        if len(found) >= 2 and len(found) >= letters * _MOST:
            return (
                "Japanese" if "Japanese" in found else max(set(found), key=lambda name: (found.count(name), name or ""))
            )
    words = _WORD.findall(_LATIN.sub(" ", text.lower()))
    english = len(_ENGLISH.intersection(words))
    best, score = "", 0
    for name, known in _LANGUAGES.items():
        hits = len(known.intersection(words))
        if hits > score:
            best, score = name, hits
    if score < 2 or score <= english or score < len(words) * (_MOST if score > 2 else _MOST_OF_TWO):
        return None
    return best
