from pathlib import Path

from models.label_space import HELD_OUT_TYPES, LabelSpace, ResolvedLabels, attribute_label, resolve, vocabulary_masks
from models.labelled import LabelledImage
from schemas.taxonomy import load_taxonomy


def image(**labels):
    return LabelledImage(Path("a.jpg"), "a.jpg", **labels)


def space_of(*nodes):
    return LabelSpace.from_images([ResolvedLabels(node, {}) for node in nodes for _ in range(5)])


def test_each_data_set_s_words_are_understood():
    grocery = image(dataset="grocery_store", category="Fruit", subcategory="Apple", attributes={"fine": "Granny-Smith"})
    assert resolve(grocery).node == "groceries/fruit/apple/granny-smith"
    assert resolve(image(dataset="clothing_small", subcategory="outwear")).node == "apparel/outerwear"
    myntra = resolve(
        image(
            dataset="myntra224",
            subcategory="Tops",
            color="Grey Melange",
            attributes={"gender": "Women", "pattern_from_title": "polka", "usage": "NA"},
        )
    )
    assert myntra.node == "apparel/topwear/blouse"
    assert myntra.attributes == {"color": "gray", "gender": "women", "pattern": "dotted"}
    assert myntra.problems == ()


def test_other_shops_labels_are_found_by_name_synonym_or_path():
    assert resolve(image(subcategory="Hoodies")).node == "apparel/topwear/sweatshirt"
    assert resolve(image(category="footwear/boots/boot")).node == "footwear/boots/boot"
    assert resolve(image(subcategory="Casual Shoes")).node == "footwear/shoes/casual-shoe"


def test_unknown_labels_are_reported_and_not_guessed():
    labels = resolve(image(subcategory="Flux capacitors", color="octarine"))
    assert labels.node is None
    assert labels.attributes == {}
    assert labels.problems == ("subcategory: Flux capacitors", "color: octarine")


def test_a_coarse_label_stands_for_all_leaves_below_it():
    space = space_of("apparel/bottomwear", "apparel/bottomwear/jeans", "apparel/bottomwear/shorts", "footwear/boots")
    assert space.leaves == ("apparel/bottomwear/jeans", "apparel/bottomwear/shorts", "footwear/boots")
    assert space.leaves_of("apparel/bottomwear") == (0, 1)
    assert space.leaves_of("footwear") == (2,)
    assert space.leaves_of("apparel/bottomwear/skirt") == (0, 1), "an unknown type counts as its category"
    assert space.leaves_of("groceries/fruit") == space.leaves_of(None) == ()
    assert not space.knows("apparel/bottomwear/skirt")
    masks = vocabulary_masks(space, ["apparel/bottomwear", "apparel/bottomwear/skirt", "footwear"])
    assert masks == {"apparel/bottomwear": (0, 1), "footwear": (2,)}


def test_rare_and_held_out_types_get_no_leaf():
    rare = [ResolvedLabels("apparel/topwear/tunic", {})] * 4
    held_out = [ResolvedLabels(next(iter(HELD_OUT_TYPES)), {})] * 50
    common = [ResolvedLabels("apparel/topwear/shirt", {"color": "red"})] * 30
    space = LabelSpace.from_images([*rare, *held_out, *common])
    assert space.leaves == ("apparel/topwear/shirt",)
    assert space.heads == {}, "a head with one label tells nothing"


def test_varieties_map_to_their_type():
    space = space_of("groceries/fruit/apple/granny-smith", "groceries/fruit/apple/pink-lady")
    assert space.label_paths() == dict.fromkeys(space.leaves, "groceries/fruit/apple")
    assert space.leaves_of("groceries/fruit/apple") == (0, 1)


def test_held_out_types_are_in_the_taxonomy():
    assert set(load_taxonomy().types) >= HELD_OUT_TYPES


def test_attribute_words():
    assert attribute_label("color", "Navy-Blue") == "navy blue"
    assert attribute_label("gender", "Female") == "women"
    assert attribute_label("pattern", "tartan rose") is None
