import pytest

from models.recipe import RECIPES, RecipeError, load_recipe


def test_the_shipped_recipes_are_valid():
    names = {file.stem for file in RECIPES.glob("*.json")}
    assert "product" in names
    for name in names:
        assert load_recipe(name).phases


def test_a_wrong_recipe_names_the_field(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('{"name": "mine", "network": "product", "phases": [{"size": 4, "images": 10, "learning_rate": 1}]}')
    with pytest.raises(RecipeError, match=r"phases\.0\.size: Input should be greater than or equal to 16"):
        load_recipe(str(path))
    with pytest.raises(RecipeError, match=r"recipe nothing does not exist; take one of .*product"):
        load_recipe("nothing")


def test_another_recipe_has_another_identity():
    recipe = load_recipe("product")
    assert recipe.identity == load_recipe("product").identity
    assert recipe.identity != recipe.model_copy(update={"seed": 99}).identity
