# ruff: noqa: E501 - tables read best with one row per line
"""Packaged goods: what may stand on a package."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Good:
    """One kind of content.

    Args:
        category: taxonomy path.
        en: English name.
        zh: Chinese name.
        icon: picture on the package.
        nets: net contents, English and Chinese.
        ingredients: English and Chinese.
        color: usual main color of its package, "" for any.
    """

    category: str
    en: str
    zh: str
    icon: str
    nets: tuple[tuple[str, str], ...]
    ingredients: tuple[str, str]
    color: str = ""


def _ml(*volumes: int) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"{v} ml" if v < 1000 else f"{v / 1000:g} L", f"净含量：{v}毫升" if v < 1000 else f"净含量：{v / 1000:g}升")
        for v in volumes
    )


def _g(*weights: int) -> tuple[tuple[str, str], ...]:
    return tuple((f"{w} g", f"净含量：{w}克") for w in weights)


_DRINKS, _SNACKS, _PANTRY = "packaged-food/drinks/", "packaged-food/snacks/", "packaged-food/pantry/"

GOODS: dict[str, tuple[Good, ...]] = {
    "drink bottle": (
        Good(_DRINKS + "juice", "Orange Juice", "橙汁", "citrus", _ml(300, 500, 1000), ("Orange juice, vitamin C", "橙汁、维生素C"), "orange"),
        Good(_DRINKS + "tea", "Green Tea", "绿茶", "leaf", _ml(500, 550), ("Water, green tea leaves", "水、绿茶茶叶"), "green"),
        Good(_DRINKS + "tea", "Jasmine Tea", "茉莉花茶", "flower", _ml(450, 500), ("Water, jasmine tea", "水、茉莉花茶"), "lime green"),
        Good(_DRINKS + "bottled-water", "Spring Water", "天然泉水", "drop", _ml(380, 550, 1500), ("Natural spring water", "天然泉水"), "sky blue"),
        Good(_DRINKS + "soft-drink", "Peach Soda", "白桃汽水", "berry", _ml(330, 500), ("Water, sugar, peach juice, CO2", "水、白砂糖、桃汁、二氧化碳"), "pink"),
        Good(_DRINKS + "juice", "Berry Mix", "混合莓汁", "berry", _ml(250, 300), ("Blueberry, strawberry, apple juice", "蓝莓汁、草莓汁、苹果汁"), "purple"),
    ),
    "wine bottle": (
        Good(_DRINKS + "wine", "Cabernet", "干红葡萄酒", "grape", _ml(750), ("Grapes, sulfites", "葡萄、二氧化硫"), "dark green"),
        Good(_DRINKS + "wine", "Riesling", "雷司令白葡萄酒", "grape", _ml(750), ("Grapes, sulfites", "葡萄、二氧化硫"), "olive"),
        Good(_DRINKS + "spirits", "Plum Spirit", "青梅酒", "flower", _ml(500), ("Water, plum, sugar", "水、青梅、糖"), "bronze"),
    ),
    "drink can": (
        Good(_DRINKS + "soft-drink", "Cola", "可乐", "bubble", _ml(330), ("Water, sugar, caramel, CO2", "水、糖、焦糖色、二氧化碳"), "red"),
        Good(_DRINKS + "soft-drink", "Lime Sparkling", "青柠气泡水", "citrus", _ml(330), ("Water, lime juice, CO2", "水、青柠汁、二氧化碳"), "lime green"),
        Good(_DRINKS + "beer", "Pale Ale", "淡色艾尔啤酒", "grain", _ml(330, 500), ("Water, malt, hops, yeast", "水、麦芽、啤酒花、酵母"), "mustard"),
        Good(_DRINKS + "coffee", "Iced Latte", "冰拿铁", "bean", _ml(240), ("Water, milk, coffee, sugar", "水、牛奶、咖啡、糖"), "brown"),
    ),
    "food can": (
        Good(_PANTRY + "canned-food", "Tuna Chunks", "金枪鱼块", "fish", _g(185), ("Tuna, water, salt", "金枪鱼、水、食用盐"), "blue"),
        Good(_PANTRY + "canned-food", "Peeled Tomatoes", "去皮番茄", "tomato", _g(400), ("Tomatoes, tomato juice", "番茄、番茄汁"), "red"),
        Good(_PANTRY + "canned-food", "Sweet Corn", "甜玉米粒", "grain", _g(340), ("Sweet corn, water, salt", "甜玉米、水、食用盐"), "yellow"),
        Good(_PANTRY + "canned-food", "Chickpeas", "鹰嘴豆", "bean", _g(400), ("Chickpeas, water, salt", "鹰嘴豆、水、食用盐"), "beige"),
    ),
    "jar": (
        Good(_PANTRY + "sauce", "Strawberry Jam", "草莓果酱", "berry", _g(340, 450), ("Strawberries, sugar, pectin", "草莓、白砂糖、果胶"), "maroon"),
        Good(_PANTRY + "sauce", "Peanut Butter", "花生酱", "nut", _g(350, 510), ("Peanuts, salt", "花生、食用盐"), "tan"),
        Good(_PANTRY + "sauce", "Wild Honey", "野生蜂蜜", "flower", _g(250, 500), ("Honey", "蜂蜜"), "mustard"),
        Good(_PANTRY + "sauce", "Chili Crisp", "香辣脆油辣椒", "chili", _g(210, 280), ("Chili, soybean oil, garlic", "辣椒、大豆油、大蒜"), "rust"),
        Good(_DRINKS + "coffee", "Instant Coffee", "速溶咖啡", "bean", _g(100, 200), ("Coffee", "咖啡"), "coffee"),
    ),
    "sauce bottle": (
        Good(_PANTRY + "sauce", "Soy Sauce", "生抽酱油", "bean", _ml(500), ("Water, soybeans, wheat, salt", "水、大豆、小麦、食用盐"), "coffee"),
        Good(_PANTRY + "sauce", "Tomato Ketchup", "番茄沙司", "tomato", _g(340), ("Tomatoes, vinegar, sugar, salt", "番茄、醋、糖、食用盐"), "red"),
        Good(_PANTRY + "sauce", "Olive Oil", "橄榄油", "leaf", _ml(500, 750), ("Extra virgin olive oil", "特级初榨橄榄油"), "olive"),
    ),
    "cereal box": (
        Good(_PANTRY + "cereal", "Corn Flakes", "玉米片", "grain", _g(375, 500), ("Corn, sugar, malt, salt", "玉米、糖、麦芽、食用盐")),
        Good(_PANTRY + "cereal", "Berry Granola", "莓果格兰诺拉", "berry", _g(350, 420), ("Oats, berries, honey, nuts", "燕麦、莓果、蜂蜜、坚果")),
        Good(_PANTRY + "pasta-rice", "Penne Rigate", "斜管意面", "grain", _g(500), ("Durum wheat semolina", "硬粒小麦粉"), "blue"),
    ),
    "snack box": (
        Good(_SNACKS + "cookies", "Oat Cookies", "燕麦饼干", "cookie", _g(180, 240), ("Oats, flour, butter, sugar", "燕麦、小麦粉、黄油、糖")),
        Good(_SNACKS + "candy", "Dark Chocolate", "黑巧克力", "bean", _g(100, 120), ("Cocoa mass, sugar, cocoa butter", "可可液块、糖、可可脂")),
        Good(_DRINKS + "tea", "Oolong Tea Bags", "乌龙茶包", "leaf", _g(50, 80), ("Oolong tea", "乌龙茶")),
        Good(_PANTRY + "spices", "Curry Powder", "咖喱粉", "chili", _g(80), ("Turmeric, coriander, cumin, chili", "姜黄、芫荽、孜然、辣椒"), "mustard"),
    ),
    "milk carton": (
        Good("groceries/dairy/milk", "Whole Milk", "全脂纯牛奶", "drop", _ml(950, 1000), ("Raw milk", "生牛乳"), "white"),
        Good("groceries/plant-based/oat-milk", "Oat Milk", "燕麦奶", "grain", _ml(1000), ("Water, oats, salt", "水、燕麦、食用盐"), "beige"),
        Good("groceries/plant-based/soy-milk", "Soy Milk", "原味豆奶", "bean", _ml(1000), ("Water, soybeans", "水、大豆"), "light green"),
        Good(_DRINKS + "juice", "Apple Juice", "苹果汁", "apple", _ml(1000), ("Apple juice", "苹果汁"), "green"),
    ),
    "pouch": (
        Good(_SNACKS + "chips", "Sea Salt Chips", "海盐薯片", "chip", _g(70, 135), ("Potatoes, sunflower oil, sea salt", "马铃薯、葵花籽油、海盐")),
        Good(_SNACKS + "chips", "Chili Crisps", "香辣薯片", "chili", _g(70, 104), ("Potatoes, oil, chili", "马铃薯、植物油、辣椒"), "red"),
        Good(_SNACKS + "nuts", "Mixed Nuts", "每日坚果", "nut", _g(150, 200), ("Almonds, cashews, walnuts", "巴旦木、腰果、核桃")),
        Good(_SNACKS + "candy", "Fruit Gummies", "水果软糖", "berry", _g(90, 150), ("Glucose syrup, fruit juice, gelatin", "葡萄糖浆、果汁、明胶")),
        Good(_DRINKS + "coffee", "House Blend", "拼配咖啡豆", "bean", _g(250, 454), ("Arabica coffee beans", "阿拉比卡咖啡豆"), "black"),
    ),
    "yogurt cup": (
        Good("groceries/dairy/yogurt", "Greek Yogurt", "希腊酸奶", "drop", _g(135, 200), ("Milk, live cultures", "生牛乳、乳酸菌"), "white"),
        Good("groceries/dairy/yogurt", "Strawberry Yogurt", "草莓酸奶", "berry", _g(135, 200), ("Milk, strawberries, sugar", "生牛乳、草莓、糖"), "light pink"),
        Good(_SNACKS + "ice-cream", "Vanilla Ice Cream", "香草冰淇淋", "flower", _g(80, 250), ("Cream, milk, sugar, vanilla", "奶油、牛奶、糖、香草"), "cream"),
    ),
    "shampoo bottle": (
        Good("beauty/hair-care/shampoo", "Repair Shampoo", "修护洗发水", "leaf", _ml(250, 400), ("Water, glycerin, keratin", "水、甘油、角蛋白")),
        Good("beauty/hygiene/body-wash", "Rose Body Wash", "玫瑰沐浴露", "flower", _ml(400, 550), ("Water, glycerin, rose extract", "水、甘油、玫瑰提取物")),
        Good("beauty/skin-care/body-lotion", "Shea Body Lotion", "乳木果身体乳", "nut", _ml(250, 400), ("Water, shea butter, glycerin", "水、乳木果脂、甘油")),
    ),
    "cream tube": (
        Good("beauty/skin-care/sunscreen", "Sunscreen SPF 50", "防晒乳", "sun", _ml(50, 60), ("Water, zinc oxide, glycerin", "水、氧化锌、甘油")),
        Good("beauty/skin-care/face-wash", "Foam Cleanser", "洁面乳", "drop", _g(100, 120), ("Water, glycerin, amino acids", "水、甘油、氨基酸")),
        Good("beauty/hygiene/oral-care", "Mint Toothpaste", "薄荷牙膏", "leaf", _g(90, 120), ("Silica, sorbitol, mint", "二氧化硅、山梨醇、薄荷"), "mint"),
    ),
    "perfume": (
        Good("beauty/fragrance/perfume", "Eau de Parfum", "香水", "flower", _ml(30, 50, 100), ("Alcohol, fragrance, water", "乙醇、香精、水")),
    ),
}  # fmt: skip
"""Contents by package."""


def good_of(kind: str, variant: str) -> Good:
    """The content of a package, by its English name."""
    return next(good for good in GOODS[kind] if good.en == variant)
