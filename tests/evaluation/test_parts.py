"""What a picture may be used for is the same wherever its set lies, and as in our packs."""

import numpy as np
import pytest

from evaluation.layouts import sets
from tests.evaluation.sets import pictures, read, text

PACK = "file,age,gender,race,age_min,age_max,n_dup,conflict,orig"


def parts(data):
    """The part of each picture, by its name without folders."""
    return {entry.labels.name.rpartition("/")[2]: entry.labels.part for entry in sets(data)[0].entries}


def kept(data):
    """The names of the pictures of the part `report`."""
    return {entry.labels.name for entry in sets(data)[0].entries if entry.labels.part == "report"}


def test_a_published_picture_is_of_the_part_that_it_has_in_our_packs(tmp_path):
    faces = [f"{age}_0_1_20170116220224657" for age in range(1, 80)]
    people = [f"{number:05d}A30" for number in range(80)]
    endings = (".jpg.chip.jpg", " .jpg.chip.jpg", "jpg.chip.jpg", ".png")  # the set itself has them all
    names = [f"{face}{endings[nth % 4]}" for nth, face in enumerate(faces)]
    pictures(tmp_path / "utk" / "part2" / "UTKFace", *names)
    pictures(tmp_path / "aaf" / "aglined faces", *(f"{name}.jpg" for name in people))

    def packed(folder, stems):
        pack = tmp_path / f"{folder}_pack"
        rows = [f"{folder}/{stem}.webp,30,1,0,30,30,1,0,{stem}.jpg" for stem in stems]
        text(pack / "pack.csv", "\n".join([PACK, *rows]))
        return list(parts(pack).values())

    assert list(parts(tmp_path / "utk").values()) == packed("utk", sorted(faces))
    assert list(parts(tmp_path / "aaf").values()) == packed("aaf", people)
    assert set(parts(tmp_path / "utk").values()) == {"train", "tune", "report"}


@pytest.mark.parametrize(
    "names",
    [
        [f"{age}_0_1_20170116220224657.jpg" for age in range(1, 60)],
        [f"{number:05d}A30.jpg" for number in range(60)],
        [f"{number:03d}A30.JPG" for number in range(60)],
        [f"happy/S{number:03d}_001_00000001.png" for number in range(60)],
        [f"happy/im{number}.png" for number in range(60)],
        [f"{number % 7 + 1}/im{number}.png" for number in range(60)],
        [f"{number % 7}/im{number}.png" for number in range(60)],
    ],
    ids=["utkface", "allagefaces", "fgnet", "ckplus", "fer2013", "rafdb", "affectnet"],
)
def test_a_part_does_not_hang_on_the_folder_that_the_data_lie_in(tmp_path, names):
    pictures(tmp_path / "one" / "deep" / "down", *names)

    above, within = parts(tmp_path), parts(tmp_path / "one" / "deep" / "down")

    assert above == within
    assert set(above.values()) == {"train", "tune", "report"}


def test_what_rafdb_affectnet_and_fairface_keep_for_tests_is_for_reports_alone(tmp_path):
    raf, affect, fair = (tmp_path / name for name in ("raf", "affect", "fair"))
    train = [f"train/1/{nth}.jpg" for nth in range(40)]
    pictures(raf, *train, *(f"test/1/t{nth}.jpg" for nth in range(40)))
    pictures(affect, *train, "train/0/x.jpg", *(f"val/0/v{nth}.jpg" for nth in range(40)))
    head = "file,age,gender,race,service_test\n"
    for part in ("train", "val"):
        files = [f"{part}/{nth}.jpg" for nth in range(40)]
        pictures(fair, *files)
        table = head + "".join(f"{file},20-29,Male,White,True\n" for file in files)
        text(fair / f"fairface_label_{part}.csv", table)

    assert kept(raf) == {f"test/1/t{nth}.jpg" for nth in range(40)}
    assert kept(affect) == {f"val/0/v{nth}.jpg" for nth in range(40)}
    assert kept(fair) == {f"val/{nth}.jpg" for nth in range(40)}


def test_the_lists_of_all_age_faces_do_not_decide_what_a_picture_is_for(tmp_path):
    names = [f"{number:05d}A30" for number in range(60)]
    pictures(tmp_path, *(f"{name}.jpg" for name in names))
    before = parts(tmp_path)

    text(tmp_path / "val.txt", "".join(f"{name} 0\n" for name in names))

    assert parts(tmp_path) == before


def test_equal_pictures_of_fer2013s_table_are_of_one_part_and_none_is_learned_and_tested(tmp_path):
    seen, twice, kept = (" ".join(map(str, np.full(48 * 48, grey))) for grey in (7, 100, 200))
    rows = [f"3,{seen},Training", f"3,{twice},Training", f"6,{twice},Training"]
    rows += [f"3,{kept},Training", f"3,{kept},PublicTest"]
    text(tmp_path / "fer2013.csv", "\n".join(["emotion,pixels,Usage", *rows]) + "\n")

    one, first, again, told, tested = read(tmp_path)

    assert first.key == again.key != one.key
    assert [sample.sound for sample in (one, first, again, told, tested)] == [True, True, True, False, True]
