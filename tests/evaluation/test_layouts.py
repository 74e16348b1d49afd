"""Each published layout, made up after its description, is recognised and read as it says."""

import math

import cv2
import numpy as np
import pytest

from core.errors import ConfigError, SourceError
from core.types import EMOTIONS
from evaluation.layouts import sets
from tests.evaluation.sets import archive, find, picture, pictures, read, text

PACK = "file,age,gender,race,age_min,age_max,n_dup,conflict,orig"
POINTS = ",".join(
    f"{name}_{axis}" for name in ("eye_l", "eye_r", "nose", "mouth_l", "mouth_r") for axis in "xy"
)


def by_name(data, layout="auto"):
    return {sample.name: sample for sample in read(data, layout)}


def mood(sample):
    return EMOTIONS[sample.mood] if sample.mood >= 0 else None


def test_utkface_is_read_from_the_names_of_its_files(tmp_path):
    pictures(tmp_path, "part1/26_1_2_20170104023102422.jpg.chip.jpg", "100_0_0_20170112213500903.webp")
    pictures(tmp_path, "39_1_20170116174525125.jpg")  # lacks the race, as three of the set's do

    samples = by_name(tmp_path)

    assert find(tmp_path) == ["utkface"]
    assert len(samples) == 2
    young = samples["part1/26_1_2_20170104023102422.jpg.chip.jpg"]
    assert (young.age, young.female, young.race) == (26, 1, 2)
    assert young.image.shape == (8, 8, 3)


def test_all_age_faces_tells_gender_by_number_and_the_part_by_its_lists(tmp_path):
    pictures(tmp_path / "original images", "07380A25.jpg", "07381A60.jpg")
    pictures(tmp_path / "aglined faces", "07380A25.jpg")  # the archive's own spelling
    text(tmp_path / "image sets" / "train.txt", "07380A25 0\n")
    text(tmp_path / "image sets" / "val.txt", "07381A60 1\n")

    samples = by_name(tmp_path)

    assert {name: (s.age, s.female, s.split) for name, s in samples.items()} == {
        "original images/07380A25.jpg": (25, 1, "train"),
        "original images/07381A60.jpg": (60, 0, "val"),
    }


def test_fgnet_is_read_from_the_names_of_its_files(tmp_path):
    samples = by_name(pictures(tmp_path, "001A02.JPG", "014A33b.JPG"))

    assert find(tmp_path) == ["fgnet"]
    assert [sample.age for sample in samples.values()] == [2, 33]
    assert all(math.isnan(sample.female) for sample in samples.values())


def test_fairface_has_age_groups_and_its_own_races(tmp_path):
    pictures(tmp_path, "train/1.jpg", "val/1.jpg", "val/2.jpg")
    head = "file,age,gender,race,service_test\n"
    text(tmp_path / "fairface_label_train.csv", head + "train/1.jpg,50-59,Male,East Asian,True\n")
    rows = "val/1.jpg,more than 70,Female,Latino_Hispanic,False\nval/2.jpg,3-9,Female,Middle Eastern,True\n"
    text(tmp_path / "fairface_label_val.csv", head + rows)

    (found,) = sets(tmp_path)
    samples = by_name(tmp_path)

    assert found.name == "fairface"
    old, child, man = (samples[name] for name in ("val/1.jpg", "val/2.jpg", "train/1.jpg"))
    assert (old.age_low, old.age_high, old.female, found.races[old.race]) == (70, 100, 1, "latino")
    assert (child.age_low, child.age_high, found.races[child.race]) == (3, 9, "middle eastern")
    assert (man.female, found.races[man.race], man.split) == (0, "east asian", "train")
    assert math.isnan(old.age)


def test_an_age_that_fairface_does_not_tell_is_not_known(tmp_path):
    names = [f"val/{number}.jpg" for number in range(5)]
    pictures(tmp_path, *names)
    rows = zip(names, ("", "nan", "20-2", "20-29", "70+"), strict=True)
    lines = "".join(f"{name},{age},Male,White,True\n" for name, age in rows)
    text(tmp_path / "fairface_label_val.csv", "file,age,gender,race,service_test\n" + lines)

    lows = [sample.age_low for sample in read(tmp_path)]

    assert np.isnan(lows[:3]).all()
    assert lows[3:] == [20, 70]


def test_of_a_row_that_breaks_off_the_rest_is_not_known(tmp_path):
    pictures(tmp_path / "fairface", "val/1.jpg", "val/2.jpg")
    rows = "val/1.jpg,20-29,Female,White,True\nval/2.jpg,30-39"
    text(tmp_path / "fairface" / "fairface_label_val.csv", f"file,age,gender,race,service_test\n{rows}")
    pictures(tmp_path / "adience" / "faces" / "u", "coarse_tilt_aligned_face.1.a.jpg")
    text(
        tmp_path / "adience" / "fold_0_data.txt", "user_id\toriginal_image\tface_id\tage\tgender\nu\ta.jpg\t1"
    )

    _, last = read(tmp_path / "fairface")
    (only,) = read(tmp_path / "adience")

    assert (last.age_low, last.race) == (30, -1)
    assert np.isnan([last.female, only.age_low, only.female]).all()


def test_adience_joins_tables_and_pictures(tmp_path):
    head = "user_id\toriginal_image\tface_id\tage\tgender\tx\n"
    rows = "7@N0\ta_o.jpg\t1\t(25, 32)\tf\t0\n7@N0\tb_o.jpg\t2\t35\tu\t0\n7@N0\tgone_o.jpg\t3\t(0, 2)\tm\t0\n"
    text(tmp_path / "fold_0_data.txt", head + rows)
    text(tmp_path / "fold_frontal_0_data.txt", head + rows)
    pictures(tmp_path / "faces" / "7@N0", "coarse_tilt_aligned_face.1.a_o.jpg")
    pictures(
        tmp_path / "aligned" / "7@N0", "landmark_aligned_face.1.a_o.jpg", "landmark_aligned_face.2.b_o.jpg"
    )

    samples = list(read(tmp_path))

    assert [(s.age_low, s.age_high, s.split) for s in samples] == [(25, 32, "0"), (35, 35, "0")]
    assert samples[0].female == 1
    assert math.isnan(samples[1].female)
    assert samples[0].name == "aligned/7@N0/landmark_aligned_face.1.a_o.jpg"


def test_ckplus_labels_the_last_picture_of_a_sequence(tmp_path):
    folder = tmp_path / "cohn-kanade-images" / "S005" / "001"
    pictures(folder, "S005_001_00000001.png", "S005_001_00000011.png")
    text(tmp_path / "Emotion" / "S005" / "001" / "S005_001_00000011_emotion.txt", "   3.0000000e+00\n")

    (sample,) = read(tmp_path)

    assert find(tmp_path) == ["ckplus"]
    assert mood(sample) == "disgust"
    assert sample.name.endswith("S005_001_00000011.png")


def test_ckplus_in_folders_is_told_from_other_sets_by_its_names(tmp_path):
    pictures(tmp_path, "happy/S010_006_00000013.png", "contempt/S138_008_00000007.png")

    assert find(tmp_path) == ["ckplus"]
    assert [mood(sample) for sample in read(tmp_path)] == [None, "happy"]


def test_fer2013_in_folders_keeps_the_parts_of_the_contest(tmp_path):
    pictures(
        tmp_path, "train/angry/Training_3908.jpg", "test/sad/PublicTest_1.jpg", "test/fear/PrivateTest_9.png"
    )

    samples = by_name(tmp_path)

    assert find(tmp_path) == ["fer2013"]
    assert {(mood(s), s.split) for s in samples.values()} == {
        ("angry", "Training"),
        ("sad", "PublicTest"),
        ("fear", "PrivateTest"),
    }


def test_the_table_of_fer2013_is_read_with_the_votes_beside_it(tmp_path):
    pixels = [" ".join(map(str, np.full(48 * 48, grey))) for grey in (7, 200)]
    text(
        tmp_path / "fer2013.csv", f"emotion,pixels,Usage\n3,{pixels[0]},Training\n6,{pixels[1]},PrivateTest\n"
    )
    votes = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
    rows = "Training,fer0000000.png,1,9,0,0,0,0,0,0,0,0\nPrivateTest,,0,0,0,0,0,0,0,0,0,10\n"
    text(tmp_path / "fer2013new.csv", votes + rows)

    first, last = read(archive(tmp_path))

    assert (mood(first), first.split, first.votes) == ("happy", "Training", (1, 9, 0, 0, 0, 0, 0, 0, 0, 0))
    assert (mood(last), last.split, last.votes[-1]) == ("neutral", "PrivateTest", 10)
    assert first.image.shape == (48, 48, 3)
    assert (first.image.max(), last.image.min()) == (7, 200)


def test_rafdb_is_read_by_its_list(tmp_path):
    pictures(tmp_path / "Image" / "aligned", "train_00001_aligned.jpg", "test_0001_aligned.jpg")
    pictures(tmp_path / "Image" / "original", "train_00001.jpg")
    text(tmp_path / "EmoLabel" / "list_patition_label.txt", "train_00001.jpg 5\ntest_0001.jpg 1\n")

    samples = by_name(tmp_path)

    assert find(tmp_path) == ["rafdb"]
    assert {name: (mood(s), s.split) for name, s in samples.items()} == {
        "Image/aligned/train_00001_aligned.jpg": ("sad", "train"),
        "Image/aligned/test_0001_aligned.jpg": ("surprise", "test"),
    }


def test_numbered_folders_are_rafdb_from_one_on_and_affectnet_from_nought_on(tmp_path):
    raf = pictures(tmp_path / "raf", "train/1/a.jpg", "test/7/b.jpg")
    affect = pictures(tmp_path / "affect", "val/0/a.jpg", "val/1/b.jpg", "train_class/7/c.jpg")

    assert (find(raf), find(affect)) == (["rafdb"], ["affectnet"])
    assert [mood(s) for s in by_name(raf).values()] == ["neutral", "surprise"]
    assert {s.name: mood(s) for s in read(affect)} == {
        "val/0/a.jpg": "neutral",
        "val/1/b.jpg": "happy",
        "train_class/7/c.jpg": None,
    }


def test_affectnet_is_read_by_its_annotations(tmp_path):
    pictures(tmp_path, "val_set/images/0.jpg", "train_set/images/12.jpg")
    for file, label in (("val_set/annotations/0", "6"), ("train_set/annotations/12", "9")):
        path = text(tmp_path / f"{file}_exp.npy", "")
        np.save(path, np.array(label))

    (sample,) = read(tmp_path)

    assert find(tmp_path) == ["affectnet"]
    assert (mood(sample), sample.split) == ("angry", "val")


def test_affectnet_by_table_keeps_the_face_that_is_meant(tmp_path):
    image = np.zeros((100, 200, 3), np.uint8)
    image[40:60, 20:40] = 255
    path = tmp_path / "Manually_Annotated_Images" / "103" / "a.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
    head = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression"
    text(tmp_path / "validation.csv", f"{head},valence,arousal\n103/a.png,20,40,20,20,1;2,3,0.1,0.2\n")

    (sample,) = read(tmp_path)

    assert (mood(sample), sample.split) == ("surprise", "val")
    assert sample.image.shape == (40, 40, 3)
    assert sample.image[20, 20, 0] == 255


def test_a_layout_can_be_forced(tmp_path):
    pictures(tmp_path, "train/angry/a.jpg")

    assert find(tmp_path) == ["fer2013"]
    assert [found.name for found in sets(tmp_path, "affectnet")] == ["affectnet"]


def test_a_pack_is_read_with_its_doubts(tmp_path):
    pack = pictures(tmp_path / "utk_tiny", "utk/1.png", "utk/2.png")
    archive(pack)
    rows = "utk/1.png,30,1,4,30,30,1,0,a.jpg\nutk/2.png,50,,,20,80,2,1,b.jpg\n"
    text(tmp_path / "utk_tiny.csv", f"{PACK}\n{rows}")

    first, last = read(tmp_path)

    assert find(tmp_path) == ["utk_tiny"]
    assert (first.age, first.female, first.race, first.sound) == (30, 1, 4, True)
    assert (last.race, last.sound, math.isnan(last.female)) == (-1, False, True)


def test_a_pack_may_bring_landmarks_and_loose_pictures(tmp_path):
    picture(tmp_path / "aaf" / "1.png")
    head = f"file,age,gender,age_min,age_max,n_dup,conflict,official_split,{POINTS},orig"
    numbers = ",".join(str(i) for i in range(10))
    text(tmp_path / "aaf.csv", f"{head}\naaf/1.png,30,0,30,30,1,0,val,{numbers},x.jpg\n")

    (sample,) = read(tmp_path, "aaf")

    assert sample.split == "val"
    assert sample.landmarks.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]


def test_faces_on_sheets_are_cut_out(tmp_path):
    sheet = np.zeros((96, 96, 3), np.uint8)
    sheet[48:, :48] = 120
    (tmp_path / "s.png").write_bytes(cv2.imencode(".png", sheet)[1].tobytes())
    votes = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,nf"
    head = "sheet,row,col,split,emotion," + ",".join(f"ferplus_{name}" for name in votes.split(","))
    head += ",emotion_ambiguous,dup_group,near_public_test,orig"
    rows = [
        "s.png,1,0,PublicTest,5,0,0,8,0,0,0,2,0,0,0,0,,0,a.png",
        "s.png,0,0,Training,1,0,0,0,0,0,9,0,0,0,1,0,,1,b.png",
    ]
    text(tmp_path / "fer.csv", "\n".join([head, *rows]) + "\n")

    first, last = read(tmp_path)

    assert (first.image.shape, first.image.min()) == ((48, 48, 3), 120)
    assert (mood(first), first.split, first.sound) == ("surprise", "PublicTest", True)
    assert first.votes == (0, 0, 8, 0, 0, 0, 2, 0, 0, 0)
    assert (first.key, first.part, last.key) == ("s.png/1/0", "report", "s.png/0/0")
    assert (last.image.max(), last.split, last.sound) == (0, "Training", False)


def test_any_layout_is_read_from_a_tar_too(tmp_path):
    folder = pictures(tmp_path / "set", "1_0_0_20170104023102422.jpg", "2_0_0_20170104023102422.png")

    names = [sample.name for sample in read(archive(folder))]

    assert names == [sample.name for sample in read(folder)]


def test_a_limit_takes_the_same_pictures_each_time_from_all_over_the_set(tmp_path):
    data = pictures(tmp_path, *(f"{age}_0_0_20170104023102422.jpg" for age in range(10, 90)))

    first, again = ([sample.age for sample in read(data, limit=20)] for _ in range(2))

    assert first == again == sorted(first)
    assert len(first) == 20
    assert first[0] < 30 < 60 < first[-1]


def test_a_picture_that_cannot_be_read_is_left_out_with_a_warning(tmp_path, caplog):
    pictures(tmp_path, "1_0_0_20170104023102422.jpg")
    text(tmp_path / "2_0_0_20170104023102422.jpg", "no picture")

    assert len(list(read(tmp_path))) == 1
    assert "2_0_0_20170104023102422.jpg: cannot be read" in caplog.text


def test_what_macos_puts_beside_a_picture_is_none(tmp_path):
    pictures(tmp_path, "angry/im0.jpg", "happy/im1.jpg", "angry/._im0.jpg", "__MACOSX/happy/._im1.jpg")

    assert [sample.name for sample in read(archive(tmp_path))] == ["angry/im0.jpg", "happy/im1.jpg"]


def test_an_unknown_folder_is_answered_with_what_was_looked_for(tmp_path):
    pictures(tmp_path, "holiday.jpg")

    with pytest.raises(
        ConfigError, match=r"no labelled faces recognised there. Looked for: .*UTKFace.*RAF-DB"
    ):
        find(tmp_path)
    with pytest.raises(ConfigError, match=r"Looked for: pictures named 001A02 \(FG-NET\)\.$"):
        sets(tmp_path, "fgnet")
    with pytest.raises(ConfigError, match="Did you mean 'utkface'"):
        sets(tmp_path, "utkfac")
    with pytest.raises(SourceError, match="no such folder"):
        find(tmp_path / "nowhere")


def test_several_packs_are_told_apart_by_name(tmp_path):
    for name in ("one", "two"):
        text(tmp_path / f"{name}.csv", f"{PACK}\n{name}.png,3,1,0,3,3,1,0,a.jpg\n")
        picture(tmp_path / f"{name}.png")

    assert find(tmp_path) == ["one", "two"]
    assert [sample.name for sample in read(tmp_path, "two")] == ["two.png"]
