"""The table of vision models: bytes that are not as pinned are refused, and what is missing says how to fetch it."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import stand_ins

from evalharness.cli import main
from evalharness.errors import ConfigError, PerceptionError
from evalharness.models.cache import checked, digests, located, lock_file
from evalharness.models.fetch import fetch
from evalharness.models.state import State, state_of
from evalharness.models.table import Model, find_model, models, threshold_of
from evalharness.models.vocabulary import general_tags, read_tags

TAGGER = "wd-swinv2-tagger-v3"
CORRUPTION = "ai-corrupt-caformer-s36-v0-focal"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    stand_ins.install(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    stand_ins.use_cache(tmp_path / "hub", monkeypatch)
    return tmp_path


def test_every_entry_of_the_table_is_pinned_to_a_revision_and_whole_digests() -> None:
    hub = [model for model in models().values() if model.folder is None and model.url is None]
    for model in hub:
        assert len(model.revision) == 40, model.name
        assert set(model.revision) <= set("0123456789abcdef"), model.name
        assert model.license
        assert model.threshold is None or 0.0 < model.threshold < 1.0
        for file in model.files.values():
            assert file.sha256 is None or (len(file.sha256) == 64 and set(file.sha256) <= set("0123456789abcdef"))


def test_each_kind_has_the_files_it_reads_and_one_default() -> None:
    # a CLIP's files differ, and clip and photo name their models themselves
    counts = {"tagger": 2, "identity": 2, "corruption": 1, "faces": 1}
    for kind, count in counts.items():
        of_kind = [model for model in models().values() if model.kind == kind]
        assert [len(model.files) for model in of_kind] == [count] * len(of_kind)
        assert sum(model.default for model in of_kind) == 1


def test_own_table_adds_to_ours_and_replaces_entries_of_the_same_name(here: Path) -> None:
    assert find_model(TAGGER).files["model.onnx"].bytes == len(stand_ins.tagger())
    assert find_model("wd-eva02-large-tagger-v3").files["model.onnx"].bytes == 1260435999


def test_own_table_that_is_wrong_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.toml").write_text('[mine]\nkind = "tager"\n')
    monkeypatch.setenv("EVALHARNESS_MODELS", str(tmp_path / "mine.toml"))
    with pytest.raises(ConfigError, match=r"mine\.toml cannot be read: .*tager"):
        models()


def test_unknown_model_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'wd-vit-tagger-v3'"):
        find_model("wd-vit-tager-v3", "tagger")


def test_threshold_of_a_model_no_longer_in_the_table_is_a_plausible_one() -> None:
    assert threshold_of("wd-vit-tagger-v3") == 0.2614
    assert threshold_of("gone") == 0.35


def test_files_in_the_cache_are_found_with_the_hub_off(here: Path) -> None:
    network, table = checked(find_model(TAGGER))
    assert network.read_bytes() == stand_ins.tagger()
    assert len(read_tags(table)) == len(stand_ins.GENERAL) + 4


def test_missing_model_is_one_sentence_with_the_fetch_command(empty: Path) -> None:
    with pytest.raises(PerceptionError, match=rf"not in the Hugging Face cache .*evalharness models fetch {TAGGER}$"):
        checked(find_model(TAGGER))


def test_changed_bytes_are_refused(here: Path) -> None:
    model = find_model(TAGGER)
    checked(model)
    stand_ins.put(here / "hub", model, {"model.onnx": stand_ins.tagger(bias=-5.0)})
    with pytest.raises(PerceptionError, match=r"model\.onnx of model .* is not the file that was pinned"):
        checked(model)
    assert state_of(model, verify=True) is State.CHANGED
    assert state_of(model, verify=False) is State.HERE


def test_digest_that_nobody_knows_is_asked_for_until_the_first_fetch_records_it(here: Path) -> None:
    model = find_model(CORRUPTION)
    with pytest.raises(PerceptionError, match=r"no digest of model .* evalharness models fetch"):
        digests(model)
    assert state_of(model, verify=True) is State.UNKNOWN

    fetch(model)

    assert digests(model) == (hashlib.sha256(stand_ins.corruption()).hexdigest(),)
    assert state_of(model, verify=True) is State.VERIFIED
    assert lock_file() == here / "evalharness-models.lock.json"


def test_recorded_digest_refuses_a_later_change(here: Path) -> None:
    model = find_model(CORRUPTION)
    fetch(model)
    stand_ins.put(here / "hub", model, {next(iter(model.files)): stand_ins.metric()})
    with pytest.raises(PerceptionError, match="is not the file that was pinned"):
        checked(model)
    with pytest.raises(PerceptionError, match="is not the file that was pinned"):
        fetch(model)


def test_damaged_lock_file_is_one_sentence(here: Path) -> None:
    lock_file().write_text("[]")
    with pytest.raises(PerceptionError, match="does not hold digests of models"):
        digests(find_model(CORRUPTION))


def test_fetching_with_the_hub_off_says_so(empty: Path) -> None:
    with pytest.raises(PerceptionError, match="cannot be fetched: HF_HUB_OFFLINE is set"):
        fetch(find_model(TAGGER))


def test_vocabulary_holds_general_tags_alone(here: Path) -> None:
    assert general_tags(TAGGER) == frozenset(stand_ins.GENERAL)


def test_vocabulary_is_unknown_where_its_table_is_not_here(empty: Path) -> None:
    assert general_tags(TAGGER) is None


def test_table_of_other_columns_is_no_table_of_tags(tmp_path: Path) -> None:
    (tmp_path / "tags.csv").write_text("id,tag\n1,smile\n")
    with pytest.raises(PerceptionError, match="no table of tags"):
        read_tags(tmp_path / "tags.csv")


# fetching, from a server that answers as the hub does


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, bytes]]:
    """A hub on this machine: its files by path `/repository/resolve/revision/name`."""
    served: dict[str, bytes] = {}

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            body = served.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            if body is not None:
                self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
                self.send_header("X-Repo-Commit", self.path.split("/")[4])
            self.end_headers()
            if with_body and body:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    here = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", here)
    template = f"{here}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


def serve(hub: dict[str, bytes], name: str) -> None:
    model = find_model(name)
    for path, body in zip(model.files, stand_ins.files_of(model.kind), strict=True):
        hub[f"/{model.repository}/resolve/{model.revision}/{path}"] = body


def online(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """A table with the stand-ins' digests, an empty cache, and a hub that may be asked."""
    stand_ins.install(folder, patch)
    stand_ins.use_cache(folder / "cache" / "hub", patch, offline=False)


def test_model_is_fetched_into_the_cache_once_and_verified(
    hub: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    online(tmp_path, monkeypatch)
    serve(hub, TAGGER)
    model = find_model(TAGGER)
    assert state_of(model, verify=False) is State.ABSENT

    fetch(model)
    hub.clear()

    assert [path.read_bytes() for path in fetch(model)] == list(stand_ins.files_of("tagger"))
    assert state_of(model, verify=True) is State.VERIFIED


def test_fetched_bytes_that_are_not_as_pinned_are_refused(
    hub: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    online(tmp_path, monkeypatch)
    serve(hub, TAGGER)
    hub[next(iter(hub))] = b"something else"
    with pytest.raises(PerceptionError, match="is not the file that was pinned"):
        fetch(find_model(TAGGER))


def test_file_that_the_hub_has_not_is_one_sentence(
    hub: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    online(tmp_path, monkeypatch)
    with pytest.raises(PerceptionError, match=r"model\.onnx of SmilingWolf/.* cannot be fetched: [^\n]+\.$"):
        fetch(find_model(TAGGER))


# the verb


def test_list_shows_every_model_and_which_are_here(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in models())
    states = {line.split()[0]: line.rstrip() for line in shown.splitlines() if line.strip()}
    assert states[TAGGER].endswith(" here")
    assert states["wd-vit-tagger-v3"].endswith("not here")


def test_list_tells_programs_repository_revision_and_digests(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", TAGGER, "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out).values()
    assert entry["repository"] == "SmilingWolf/wd-swinv2-tagger-v3"
    assert entry["files"]["model.onnx"]["sha256"] == hashlib.sha256(stand_ins.tagger()).hexdigest()
    assert entry["state"] == "here"


def test_verify_ends_with_2_where_bytes_changed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "verify", TAGGER]) == 0
    stand_ins.put(here / "hub", find_model(TAGGER), {"selected_tags.csv": b"tag_id,name,category,count\n"})
    assert main(["models", "verify"]) == 2
    assert "NOT AS PINNED" in capsys.readouterr().out


def test_verify_of_a_named_model_that_is_not_here_ends_with_2(empty: Path) -> None:
    assert main(["models", "verify"]) == 0
    assert main(["models", "verify", TAGGER]) == 2


def test_fetch_without_names_takes_those_of_the_anime_tier(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "fetch"]) == 0
    shown = capsys.readouterr().out
    assert [line.split(":")[0] for line in shown.splitlines()] == list(stand_ins.NAMES)
    assert "licence OpenRAIL" in shown
    assert all(path for path in located(find_model(CORRUPTION)).values())


def test_fetch_of_an_unknown_model_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "fetch", "wd-swinv2-tagger-v4"]) == 2
    assert "Did you mean 'wd-swinv2-tagger-v3'" in capsys.readouterr().err


def elsewhere(folder: Path, body: bytes, patch: pytest.MonkeyPatch) -> Model:
    """A model that no hub has: fetched from a URL, here a folder's; its pinned bytes are `body`."""
    (folder / "server").mkdir()
    (folder / "server" / "face.task").write_bytes(body)
    digest = hashlib.sha256(body).hexdigest()
    text = (stand_ins.TABLE_OF_A_URL % ((folder / "server").as_uri(), digest)).lstrip()
    (folder / "own.toml").write_text(text)
    patch.setenv("EVALHARNESS_MODELS", str(folder / "own.toml"))
    return find_model("own-landmarker")


def test_model_of_a_url_is_fetched_beside_the_cache_and_verified(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_ins.use_cache(empty / "hub", monkeypatch, offline=False)
    model = elsewhere(empty, b"task", monkeypatch)
    assert state_of(model, verify=True) is State.ABSENT
    with pytest.raises(PerceptionError, match="evalharness models fetch own-landmarker"):
        checked(model)
    assert fetch(model) == (empty / "evalharness-models" / "own-landmarker" / "face.task",)
    assert state_of(model, verify=True) is State.VERIFIED
    (empty / "server" / "face.task").unlink()
    assert fetch(model), "what is here is not fetched again"


def test_other_bytes_of_a_url_are_refused(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_ins.use_cache(empty / "hub", monkeypatch, offline=False)
    model = elsewhere(empty, b"task", monkeypatch)
    (empty / "server" / "face.task").write_bytes(b"else")
    with pytest.raises(PerceptionError, match="is not the file that was pinned"):
        fetch(model)
    assert state_of(model, verify=True) is State.CHANGED


def test_url_is_not_asked_where_the_hub_is_off(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PerceptionError, match=r"HF_HUB_OFFLINE is set; put the file at .*own-landmarker/face\.task"):
        fetch(elsewhere(empty, b"task", monkeypatch))


def test_folder_of_shards_is_fetched_whole_and_digests_that_nobody_knew_are_recorded(
    hub: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, name = models(), "qwen2-vl-2b-instruct"
    made = {file: f"bytes of {file}".encode() for file in known[name].files}
    stand_ins.write_table(tmp_path / "models.toml", known, {name: made})
    monkeypatch.setenv("EVALHARNESS_MODELS", str(tmp_path / "models.toml"))
    stand_ins.use_cache(tmp_path / "cache" / "hub", monkeypatch, offline=False)
    model = find_model(name)
    for file, body in made.items():
        hub[f"/{model.repository}/resolve/{model.revision}/{file}"] = body

    paths = fetch(model)

    assert [path.read_bytes() for path in paths] == list(made.values())
    assert len({path.parent for path in paths}) == 1, "transformers reads one folder"
    assert sum(path.suffix == ".safetensors" for path in paths) == 2
    assert state_of(model, verify=True) is State.VERIFIED
    del hub[f"/{model.repository}/resolve/{model.revision}/model-00002-of-00002.safetensors"]
    (tmp_path / "cache" / "hub").rename(tmp_path / "gone")
    with pytest.raises(PerceptionError, match=r"model-00002-of-00002.safetensors of Qwen/.* cannot be fetched"):
        fetch(model)
