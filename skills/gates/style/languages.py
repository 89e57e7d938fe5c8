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
        "además agregar ahora al algo antes aquí archivo así aunque borrar busca cada calcula calcular cambiar "
        "cambio cambios campo cliente clientes como comprobar comprueba con consulta contraseña correo crea crear "
        "cual cuando cuál datos de debe deben debería del desde después devolver devuelve donde dos el eliminar "
        "empresa en entre envía esta este esto estos está están evita evitar fecha función guarda guardar hace "
        "hacer han hasta hay la las lista lo los luego mientras misma mismas mismo mismos muy más no nombre nueva "
        "nuevo nunca obtener obtiene orden ordena para pedido pedidos pero peticiones por porque primero prueba "
        "puede pueden que retorna revisar se según ser si siempre siguiente sin sobre solo son sus sólo también "
        "tiene tienen todas todos una usa usar usuario usuarios vacía vacío validar valor valores veces verifica "
        "vez vista ya"
    ),
    "Portuguese": word_set(
        "ainda alterar altere antes ao aos aqui arquivo arquivos as até banco busca buscar cada calcula calcular "
        "classe cliente clientes com como criar da dados das data de dela dele depois devolve devolver do dos e "
        "em entre então envia essa esse esta este está estão foi função isso já linha linhas lista mais mas mesma "
        "mesmo muito na nas no nos nova novo nunca não número obter onde ordem os para pedido pedidos pela pelo "
        "pode podem por porque qual quando que remover requisições retorna salva salvar se seja sem sempre ser "
        "seu sobre são só também tela tem todos têm um uma usa usado usar usuário validar verifica verifique você "
        "é"
    ),
    "French": word_set(
        "afin ainsi alors appeler après attention au aussi aux avant avec banque calcule car ce cela celui ces "
        "cette chaque classe comme créer dans de depuis des doit doivent donc données du déjà elle en encore "
        "enregistrer entre envoie est et faire fait fichier fichiers fois fonction gère ici il jamais la le les "
        "leur ligne lignes liste lors lorsque mais modifier méthode même ne non nous nouveau nouvelle obtenir ont "
        "ordre ou où par paramètre pas pendant peut peuvent plus pour qu quand que qui renvoie requêtes retourne "
        "sans sera ses si sinon sont supprimer sur toujours tous toutes très une utilisateur utilisateurs utilisé "
        "valeur valeurs valider vers vérifie était été être"
    ),
    "German": word_set(
        "aber alle alles an anfragen anzahl auch auf aus bei beide benutzer bereits bevor bitte damit danach dann "
        "das dass datei daten datenbank dem den der des deshalb die diese diesem diesen dieser dieses doppelte "
        "durch dürfen ein eine einem einen einer eines enthält erstellen falls funktion für gibt haben hier im "
        "immer in ist jede jeder jetzt kann kein keine klasse können leer liste löschen mehr mit muss müssen nach "
        "neue neuer nicht nie noch nur ob oder ohne prüfen schickt schon sein sich sind soll sollte sonst "
        "speichern speichert später und unter vom von vor weil wenn werden wie wieder wir wird wurde wurden wäre "
        "zeile zeilen zu zuerst zum zur zurück zwei zählen ändern änderungen über"
    ),
    "Dutch": word_set(
        "aan alle als altijd bestaat bestand bij bovenaan daarna dan dat de deze dit door een eerst en er functie "
        "gebruiker gebruikers gebruikt geen gegevens haal haalt hebben heeft het hier kan kunnen later lijst maak "
        "maakt maar mag met moet moeten naar niet nog nooit of om onder ons ook op opslaan sla slaat stuurt te "
        "tot uit van verwijder verzoeken voor waarde wanneer wijzigingen worden wordt zijn zodat"
    ),
    "Polish": word_set(
        "ale bazie bazy byc być czy dane danych dla dodaj funkcja i istnieje jesli jest jezeli jeśli jeżeli już "
        "klasa ktora ktore ktorej ktory ktorych ktorzy lista listy listę lub na nie nowa nowy od oraz plik pliku "
        "po pobierz przed przez przy pusta pusty sie się sprawdza sprawdź są ta tego to tutaj tylko ustaw usuwać "
        "usuń uzytkownika uzytkownikow użytkownik użytkownika użytkowników używane w wartosc wartość wszystkich "
        "wszystkie wysyła z zapisuje zapisz zeby zmiany zwraca zwróć że żeby"
    ),
    "Turkish": word_set(
        "ama bir boş bu bütün daha detay değer değil değilse dosya dosyanın dosyayı döndürür eder edilir ekle "
        "eklenir eğer fonksiyon gibi gönderir göre hata her ile istekleri için kadar kaydeder kontrol kullanıcı "
        "kullanıcının kullanıcıyı kullanılır listesi olan olarak olup oluştur sil sonra sınıf tüm varsa ve veri "
        "verileri veritabanı veya yapılır yardımcı yeni yoksa çok"
    ),
    "Italian": word_set(
        "alla alle anche ancora calcola calcolare cambiare che cliente clienti colonne come con controlla creare "
        "da dal dalla dati degli dei del della delle dello deve devono di dopo dove eliminare esiste essere file "
        "fino funzione gestisce già gli ha hanno i il invia le lista loro ma mai modifiche molto nei nel nella "
        "nessun nome non numero nuova nuovo ogni ordine ottenere per perché più poi possono prezzo prima può "
        "quale quando quello questa questi questo qui quindi restituisce richieste righe salva salvare se sempre "
        "senza si solo sono stessa stesso sul sulla tra tutte tutti una usa usare usato utente validare valore "
        "valori vengono viene è"
    ),
}
_SCRIPTS = lazy(
    r"(?P<Russian>[\u0400-\u04ff])|(?P<Chinese>[\u4e00-\u9fff])|(?P<Japanese>[\u3040-\u30ff])|(?P<Korean>[\uac00-\ud7af])"
    r"|(?P<Arabic>[\u0600-\u06ff])|(?P<Hebrew>[\u0590-\u05ff])|(?P<Greek>[\u0370-\u03ff])|(?P<Hindi>[\u0900-\u097f])"
    r"|(?P<Thai>[\u0e00-\u0e7f])"
)
_LETTERS = {"Polish": lazy(r"[ąęłżśźćń]"), "Turkish": lazy(r"[ğış]")}
_LATIN = lazy(r"\bnon-|\b(?:per se|et al|ad hoc|vice versa|de facto|a priori|in situ|pro rata)\b")
_MOST, _MOST_OF_TWO = 0.3, 0.4

HINTS: tuple[bytes, ...] = (
    b" para ", b" los ", b" las ", b" que ", b" del ", b" por ", b" usuario", b" les ", b" des ", b" pour ", b" est ",
    b" und ", b" nicht ", b" der ", b" das ", b" die ", b" che ", b" della ", b" sono ", b" uma ", b" dos ", b" el ",
    b" una ", b" het ", b" een ", b" van ", b" niet ", b" bir ", b" nie ",
    b" la ", b" le ", b" il ", b" di ", b" de ", b"\xc3", b"\xc4", b"\xc5",
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
        hits += hits > 0 and name in _LETTERS and _LETTERS[name].search(text) is not None
        if hits > score:
            best, score = name, hits
    if (
        score < 2
        or score <= english + (english > 0 and score == 2)
        or score < len(words) * (_MOST if score > 2 else _MOST_OF_TWO)
    ):
        return None
    return best
