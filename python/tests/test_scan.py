import os
import pickle
import zipfile

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

import conftest
from slipway.scan import allowed, scan


class Harm:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.system, (f"touch {self.path}",))


def put(folder, name, content: bytes):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_usual_model_is_clean(tmp_path):
    frame, late = conftest.flights(200)
    model = conftest.pipeline(conftest.ENCODERS["one-hot"](), conftest.NUMERIC["scaled"](), conftest.ESTIMATORS["histogram"]())
    path = conftest.save(model.fit(frame, late), tmp_path / "m", frame)
    found = scan(path)
    assert found["verdict"] == "clean", found
    assert found["formats"]["pickle"] == 1 and found["formats"]["yaml"] >= 1
    assert found["total_bytes"] > 1000
    assert [each["file"] for each in found["pickles"]] == ["model.pkl"]


def test_what_a_pickle_would_import_is_listed_and_not_run(tmp_path):
    canary = tmp_path / "ran"
    for protocol in (0, 2, 4, 5):
        put(tmp_path / "m", f"p{protocol}.pkl", pickle.dumps({"a": Harm(canary)}, protocol=protocol))
    put(tmp_path / "m", "hidden.bin", pickle.dumps(Harm(canary), protocol=4))
    with zipfile.ZipFile(tmp_path / "m" / "inner.pt", "w") as archive:
        archive.writestr("data.pkl", pickle.dumps(Harm(canary)))
    found = scan(str(tmp_path / "m"))
    assert found["verdict"] == "outside"
    assert {(each["file"], each["import"]) for each in found["outside"]} == {
        (name, "posix.system") for name in ("hidden.bin", "inner.pt!data.pkl", "p0.pkl", "p2.pkl", "p4.pkl", "p5.pkl")
    }
    assert not canary.exists()


def test_allowed_packages_open_no_back_door(tmp_path):
    # Protocol 4 lets a name hold dots: sklearn.os.system would be os.system.
    put(tmp_path, "m/a.pkl", b"\x80\x04\x8c\x07sklearn\x8c\x09os.system\x93.")
    put(tmp_path, "m/b.pkl", b"\x80\x02cjoblib\nload\n.")
    put(tmp_path, "m/c.pkl", b"\x80\x02cbuiltins\neval\n.")
    put(tmp_path, "m/d.pkl", b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93.")
    assert {each["import"] for each in scan(str(tmp_path / "m"))["outside"]} == {"sklearn.os.system", "joblib.load", "builtins.eval", "os.system"}


def test_losses_of_older_scikit_learn_are_known():
    assert allowed("_loss", "CyHalfBinomialLoss") and allowed("_loss", "__pyx_unpickle_CyHalfSquaredError")
    assert not allowed("_loss", "system") and not allowed("_lossy", "CyHalf")


def test_what_cannot_be_read_to_its_end_is_no_clean_bill(tmp_path):
    put(tmp_path, "m/broken.pkl", pickle.dumps(list(range(1000)))[:-20])
    joblib.dump(LogisticRegression().fit(np.eye(4), [0, 1, 0, 1]), tmp_path / "m" / "j.joblib")
    found = scan(str(tmp_path / "m"))
    assert found["verdict"] == "incomplete"
    assert {each["file"]: each["complete"] for each in found["pickles"]} == {"broken.pkl": False, "j.joblib": False}


def test_several_pickles_in_one_file_are_all_read(tmp_path):
    put(tmp_path, "m/two.pkl", pickle.dumps([1]) + pickle.dumps(Harm("x")))
    assert scan(str(tmp_path / "m"))["outside"] == [{"file": "two.pkl", "import": "posix.system"}]


def test_links_out_of_the_folder_are_told(tmp_path):
    put(tmp_path, "m/MLmodel", b"flavors: {}")
    os.symlink("/etc/passwd", tmp_path / "m" / "data")
    assert scan(str(tmp_path / "m"))["verdict"] == "outside"


def test_skops_files_name_their_types(tmp_path):
    import skops.io

    (tmp_path / "m").mkdir()
    skops.io.dump(LogisticRegression().fit(np.eye(4), [0, 1, 0, 1]), tmp_path / "m" / "model.skops")
    found = scan(str(tmp_path / "m"))
    assert found["verdict"] == "clean" and found["pickles"][0]["imports"] > 1
