"""Settings of Flask that stand in a call."""

from skills.gates import analyse


def _told(source: str) -> list[str]:
    report = analyse("shop/app.py", f"import flask\n\napp = flask.Flask(__name__)\n{source}\n".encode())
    return [one.message.split("`")[1] for one in report.candidates if one.rule == "insecure-settings"]


def test_what_is_set_along_with_testing_holds_in_tests() -> None:
    assert _told("app.config.update(WTF_CSRF_ENABLED=False)") == ["WTF_CSRF_ENABLED"]
    assert _told("app.config.update(WTF_CSRF_ENABLED=False, TESTING=False)") == ["WTF_CSRF_ENABLED"]
    assert _told("app.config.update(WTF_CSRF_ENABLED=False, TESTING=True)") == []
    assert _told("app.config.update(TESTING=True)") == ["TESTING"]
