"""The configuration of Asterisk, as it is written for a site."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ivr.asterisk import conf, general_queue
from ivr.asterisk import tree as trees
from ivr.asterisk.floor_events import WANTED
from ivr.asterisk.install import mirror
from ivr.asterisk.layout import Layout, own_directory
from ivr.asterisk.tree import AsteriskTree, cached_trees, objection, open_tree
from ivr.domain.errors import BadInput
from ivr.domain.operators import SipAccount
from ivr.settings import Settings, Trunk


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path / "state")


@pytest.fixture
def tree(tmp_path: Path) -> AsteriskTree:
    data = tmp_path / "tree"
    for folder in ("moh", "documentation", "sounds/ru_RU_f_IvrvoiceRU"):
        (data / folder).mkdir(parents=True)
    (data / "moh" / "music.wav").touch()
    return AsteriskTree(
        root=tmp_path, version="22.10.1", argv_prefix=("asterisk",), modules=tmp_path / "modules", data=data
    )


def account(extension: str = "201", ha1: str = "0" * 32) -> SipAccount:
    return SipAccount(extension=extension, name="Иванова Мария", ha1=ha1)


def rendered(settings: Settings, tree: AsteriskTree, name: str, **more: object) -> str:
    """A file without its comments."""
    accounts = [account()] if not more else []
    conf.render(settings, accounts, ["social-1", "social-2"], tree=tree)
    text = (Layout.of(settings).etc / name).read_text()
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(";"))


def test_what_is_written_is_private(settings: Settings, tree: AsteriskTree) -> None:
    """Files 0600, directories 0700."""
    conf.render(settings, [account()], ["social-1"], tree=tree)
    found = [p for p in settings.state.rglob("*") if not p.is_symlink()]
    assert {oct(p.stat().st_mode & 0o777) for p in found if p.is_dir()} == {"0o700"}
    assert {oct(p.stat().st_mode & 0o777) for p in found if p.is_file()} == {"0o600"}


def test_only_what_changed_is_written(settings: Settings, tree: AsteriskTree) -> None:
    """A new account changes one file; the same again changes none."""
    conf.render(settings, [], ["social-1"], tree=tree)
    assert conf.render(settings, [], ["social-1"], tree=tree) == []
    changed = conf.render(settings, [account()], ["social-1"], tree=tree)
    assert [p.name for p in changed] == ["pjsip_operators.conf"]


def test_a_file_no_longer_made_goes_away(settings: Settings, tree: AsteriskTree) -> None:
    """What an older release has left in etc/ is not read by Asterisk for ever."""
    conf.render(settings, [], [], tree=tree)
    stale = Layout.of(settings).etc / "http_old.conf"
    stale.touch()
    conf.render(settings, [], [], tree=tree)
    assert not stale.exists()


def test_an_operators_name_is_not_written(settings: Settings, tree: AsteriskTree) -> None:
    """Asterisk knows extensions, not people."""
    text = rendered(settings, tree, "pjsip_operators.conf")
    assert "[201](operator)" in text
    assert "Иванова" not in text


@pytest.mark.parametrize(
    "wrong",
    [
        account(extension="201]\n[evil"),
        account(extension="anonymous@line"),
        account(ha1="0" * 32 + "\ncontext = engine"),
        account(ha1="secret"),
    ],
)
def test_an_account_cannot_inject(settings: Settings, tree: AsteriskTree, wrong: SipAccount) -> None:
    """A value that would end its line is refused, and nothing is written."""
    with pytest.raises(BadInput):
        conf.render(settings, [wrong], [], tree=tree)
    assert not Layout.of(settings).config.exists()


@pytest.mark.parametrize("queue", ["a]\n[b", "x;y", "settings](!", "", "Имя"])
def test_a_queue_cannot_inject(settings: Settings, tree: AsteriskTree, queue: str) -> None:
    with pytest.raises(BadInput, match="cannot be the name of a queue"):
        conf.render(settings, [], [queue], tree=tree)


@pytest.mark.parametrize("name", ["st;ate", "st[ate", "st\nate"])
def test_a_state_directory_cannot_inject(tmp_path: Path, tree: AsteriskTree, name: str) -> None:
    with pytest.raises(BadInput, match="Asterisk would misread"):
        conf.render(Settings(state=tmp_path / name), [], [], tree=tree)


@pytest.mark.parametrize("secret", ["pass;word", "pass\nword", "pa]ss"])
def test_a_trunks_password_cannot_inject(tmp_path: Path, tree: AsteriskTree, secret: str) -> None:
    """The secret itself is not repeated in the message."""
    file = tmp_path / "secret"
    file.write_text(secret)
    trunk = Trunk(host="127.0.0.9", username="line", password_file=file)
    with pytest.raises(BadInput) as caught:
        conf.render(Settings(state=tmp_path / "s", trunk=trunk), [], [], tree=tree)
    assert secret not in str(caught.value)


def test_no_log_holds_digits_or_numbers(settings: Settings, tree: AsteriskTree) -> None:
    """Verbose, debug and dtmf lines carry digits; notices of refused requests carry From headers."""
    levels = re.search(r"^messages\.log => (.*)$", rendered(settings, tree, "logger.conf"), re.MULTILINE)
    assert levels is not None
    assert set(levels[1].split(",")) == {"warning", "error"}


def test_cel_lists_exactly_these_events(settings: Settings, tree: AsteriskTree) -> None:
    """Never ALL, which writes each digit."""
    line = re.search(r"^events = (.*)$", rendered(settings, tree, "cel.conf"), re.MULTILINE)
    assert line is not None
    assert line[1].split(",") == [
        "CHAN_START",
        "CHAN_END",
        "ANSWER",
        "HANGUP",
        "BRIDGE_ENTER",
        "BRIDGE_EXIT",
        "BLINDTRANSFER",
        "ATTENDEDTRANSFER",
        "LOCAL_OPTIMIZE",
        "LINKEDID_END",
    ]


@pytest.mark.parametrize("bind", ["127.0.0.1", "10.0.0.5"])
def test_ami_is_on_loopback_with_least_classes(tmp_path: Path, tree: AsteriskTree, bind: str) -> None:
    """Neither digits nor AGI are read, nothing that runs programs or changes files is written."""
    site = Settings(state=tmp_path / "s", bind=bind, trunk=Trunk(host="10.0.0.1"))
    text = rendered(site, tree, "manager.conf")
    options = dict(re.findall(r"^(\w+) = (.*)$", text, re.MULTILINE))
    assert options["bindaddr"] == "127.0.0.1"
    assert set(options["read"].split(",")) == {"agent", "call", "system", "user"}
    assert set(options["write"].split(",")) == {"agent", "call", "originate", "reporting"}
    assert options["secret"] == conf.ami_secret(site)


def test_asterisk_sends_the_events_that_the_engine_listens_to_and_no_others(
    settings: Settings, tree: AsteriskTree
) -> None:
    text = rendered(settings, tree, "manager.conf")
    sent = re.findall(r"^eventfilter\(action\(include\),name\((\w+)\)\) =$", text, re.MULTILINE)
    assert set(sent) == WANTED | {"OriginateResponse"}


def test_no_message_is_declined_that_journals_or_the_live_view_need(
    settings: Settings, tree: AsteriskTree
) -> None:
    declined = set(re.findall(r"^decline = (\w+)$", rendered(settings, tree, "stasis.conf"), re.MULTILINE))
    assert declined == {
        "ast_channel_varset_type",
        "agi_exec_start_type",
        "agi_exec_end_type",
        "agi_async_start_type",
        "agi_async_exec_type",
        "agi_async_end_type",
        "ast_rtp_rtcp_sent_type",
        "ast_rtp_rtcp_received_type",
    }


def test_the_ami_secret_is_made_once(settings: Settings) -> None:
    """Long, private and the same each time."""
    secret = conf.ami_secret(settings)
    assert len(secret) >= 40
    assert conf.ami_secret(settings) == secret
    assert [p.name for p in settings.keys_dir.iterdir()] == ["ami.secret"]


def test_only_needed_modules_are_loaded(settings: Settings, tree: AsteriskTree) -> None:
    """Nothing that makes calls, runs programs or takes REFER."""
    text = rendered(settings, tree, "modules.conf")
    assert "autoload = no" in text
    loaded = set(re.findall(r"^(?:pre)?load = (\w+)\.so", text, re.MULTILINE))
    assert {"chan_pjsip", "app_queue", "res_agi", "cel_custom"} <= loaded
    for wrong in ("app_originate", "app_system", "func_shell", "res_pjsip_refer", "app_read"):
        assert wrong not in loaded


def test_nobody_can_be_dialled_but_the_operator_a_citizen_has_talked_with(
    settings: Settings, tree: AsteriskTree
) -> None:
    """So that no call from the trunk reaches the outside: by a number of the engine's, in one place."""
    conf.render(settings, [], [], tree=tree)
    texts = [path.read_text() for path in Layout.of(settings).etc.rglob("*.conf")]
    dialled = [found for text in texts for found in re.findall(r"\bDial\(([^,]*)", text)]
    assert set(dialled) == {"${MEMBERINTERFACE}", "PJSIP/${EKC_DIAL}@trunk"}


def test_only_an_operators_leg_has_the_transfer_menu(settings: Settings, tree: AsteriskTree) -> None:
    """*2 runs our script on that leg; a citizen's *2 is just keys. Asterisk's own transfers stay off."""
    features = rendered(settings, tree, "features.conf")
    found = dict(re.findall(r"^(\w+) =>\s*(\S+)", features, re.MULTILINE))
    assert found["ekctransfer"] == f"*2,self,AGI,agi://127.0.0.1:{settings.agi_port}/transfer,default"
    assert re.findall(r"^(?:blindxfer|atxfer|disconnect) =(.*)", features, re.MULTILINE) == ["", "", ""]
    texts = [path.read_text() for path in Layout.of(settings).etc.rglob("*.conf")]
    given = [found for text in texts for found in re.findall(r"\[([\w-]+)\]\n.*=\S*ekctransfer", text)]
    assert given == ["operator-leg"]


def test_by_default_the_trunk_is_any_peer_on_loopback(settings: Settings, tree: AsteriskTree) -> None:
    text = rendered(settings, tree, "pjsip.conf")
    assert re.findall(r"^(deny|permit) = (\S+)", text, re.MULTILINE) == [
        ("deny", "0.0.0.0/0.0.0.0"),
        ("permit", "127.0.0.0/255.0.0.0"),
        ("permit", "::1/128"),
    ]
    assert "type = registration" not in text


def test_a_named_trunk_is_its_own_addresses_only(tmp_path: Path, tree: AsteriskTree) -> None:
    """This machine itself may try the line. With a user name it is registered at, by the file's password."""
    file = tmp_path / "secret"
    file.write_text("s3cret\n")
    trunk = Trunk(host="127.0.0.9", username="line", password_file=file)
    text = rendered(Settings(state=tmp_path / "s", trunk=trunk), tree, "pjsip.conf")
    assert re.findall(r"^permit = (\S+)", text, re.MULTILINE) == ["127.0.0.9/32", "127.0.0.1/32"]
    assert "client_uri = sip:line@127.0.0.9:5060" in text
    assert "password = s3cret\n" in text


def test_the_general_queue_is_like_the_others(settings: Settings, tree: AsteriskTree) -> None:
    """Its row in the database has the options of the template that the agencies' queues use."""
    options = general_queue.options(rendered(settings, tree, "queues.conf"))
    assert options["timeout"] == "20"
    assert options["joinempty"] == "unavailable,invalid"
    assert not general_queue.write(Layout.of(settings).realtime, options), "render had written them"
    assert general_queue.write(Layout.of(settings).realtime, options | {"maxlen": "7"})


def test_the_control_socket_fits_its_address(tmp_path: Path) -> None:
    """In a deep state directory it lies elsewhere, at a place of its own for each state directory."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    runs = {Layout.of(Settings(state=deep / name)).run for name in ("one", "two")}
    assert len(runs) == 2
    assert all(len(str(run / "asterisk.ctl")) <= 107 for run in runs)


def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Under /tmp anybody could have put a link there."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    with pytest.raises(BadInput, match="belongs to somebody else"):
        own_directory(tmp_path / "link")


@pytest.mark.parametrize(
    ("version", "bad"),
    [
        ("22.9.0", True),
        ("22.10.0", True),
        ("22.10.1", False),
        ("22.11.0", True),
        ("22.12.0", False),
        ("20.1.0", True),
    ],
)
def test_versions_known_to_be_bad_are_not_used(version: str, bad: bool) -> None:
    assert (objection(version) is not None) is bad
    assert trees.tested(version) is (version == "22.10.1")


def test_of_several_unpacked_the_tested_one_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Newer ones nobody has tried come after it, bad ones and unfinished ones not at all."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("asterisk-22.12.0", "asterisk-22.10.1", "asterisk-22.11.0", ".new-x"):
        (tmp_path / "ekc" / name / "usr").mkdir(parents=True)
    assert [p.name for p in cached_trees()] == ["asterisk-22.10.1", "asterisk-22.12.0"]


def test_a_folder_without_asterisk_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="EKC_ASTERISK_ROOT"):
        open_tree(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.list",
            "# a\ndeb http://s/debian x-security main\ndeb [arch=amd64] http://m/debian bookworm main\n",
        ),
        (
            "a.sources",
            "Types: deb\nURIs: http://m/debian\nSuites: bookworm bookworm-updates\nComponents: main\n",
        ),
        (
            "a.sources",
            "Types: deb-src\nURIs: http://src\nSuites: bookworm\nComponents: main\n\n"
            "Types: deb\nEnabled: no\nURIs: http://off\nSuites: bookworm\nComponents: main\n\n"
            "# note\nTypes: deb\n# URIs: http://old\nURIs:\n http://m/debian\nSuites: bookworm\n"
            "Components: main\n",
        ),
    ],
)
def test_the_mirror_is_the_one_apt_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    """Both forms of apt's sources; sources of others, of source code and switched off ones do not count."""
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: {"VERSION_CODENAME": "bookworm"})
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / name).write_text(text)
    assert mirror(tmp_path) == "http://m/debian"


def test_apt_without_a_mirror_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="names no Debian mirror"):
        mirror(tmp_path)
