import pytest

from models.labelled import LabelledBox, LabelsError, read_labels, write_labels


def test_what_is_written_is_read_again(tmp_path):
    (tmp_path / "labels.csv").write_text(
        "image_path,dataset,split,subcategory,attributes_json,boxes_json\n"
        'a.jpg,shop,train,"Shirts, long","{""gender"": ""Men""}","[{""label"": ""tag"", ""box"": [1, 2, 3.5, 4]}]"\n'
        "b.jpg,shop,,nan,,\n",
        encoding="utf-8",
    )
    first, second = read_labels(tmp_path / "labels.csv")
    assert (first.subcategory, first.attributes["gender"]) == ("Shirts, long", "Men")
    assert first.boxes == (LabelledBox("tag", (1.0, 2.0, 3.5, 4.0)),)
    assert first.path == tmp_path / "a.jpg"
    assert (second.subcategory, second.split, second.attributes, second.boxes) == ("", "", {}, ())
    write_labels(tmp_path / "again" / "labels.csv", [first, second])
    again = read_labels(tmp_path / "again" / "labels.csv", images_root=tmp_path)
    assert again == [first, second]


def test_paths_that_begin_with_the_data_set_s_name_refer_to_the_collection(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "labels.csv").write_text("image_path\nshop/images/1.jpg\n")
    assert read_labels(folder / "labels.csv")[0].path == tmp_path / "shop" / "images" / "1.jpg"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"picture\na.jpg\n", "no column image_path; it has picture"),
        (b"", "no column image_path"),
        (b"image_path,attributes_json\na.jpg,{oops\n", "line 2: attributes_json is not JSON"),
        (b'image_path,attributes_json\na.jpg,"[1]"\n', "line 2: attributes_json must be a JSON dict"),
        (b'image_path,boxes_json\na.jpg,"[{""box"": [1, 2]}]"\n', "line 2: a box must be"),
        (b"image_path,color\na.jpg,red\n ,blue\n", "line 3: image_path is empty"),
        (b"\xff\xfe\x00image_path", "is not a CSV in UTF-8"),
    ],
)
def test_a_wrong_file_is_refused_by_line(tmp_path, content, message):
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(LabelsError, match=message):
        read_labels(tmp_path / "labels.csv")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LabelsError, match=r"gone\.csv cannot be read"):
        read_labels(tmp_path / "gone.csv")
