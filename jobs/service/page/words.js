// The interface's words. Names of values and attributes come from the service in both languages.

const WORDS = {
  en: {
    skip: "Skip to results", search: "Search", catalog: "Catalog", review: "Review", quarantine: "Quarantine",
    drop: "Drop a picture to search by it", searchHint: "Search products, or drop a picture", pick: "Search by a picture",
    keys: "Keys: / search, arrows move, Enter opens, Esc goes back",
    products: (n) => (n === 1 ? "1 product" : `${n.toLocaleString("en")} products`), filters: "Filters", clear: "Clear filters",
    close: "Close", more: "Show more", nothing: "Nothing was found.", nothingHint: "Try fewer words or filters.",
    relaxed: "No product has all of that; these have most of it.",
    followed: (n) => n === 1 ? "One product has all of that; after it come those that have most of it." : `${n} products have all of that; after them come those that have most of it.`, mended: (a, b) => `Showing “${b}” instead of “${a}”.`,
    sort: "Sort", relevance: "Relevance", price: "Price, low first", "-price": "Price, high first", "-quality": "Picture quality",
    "-confidence": "Surest first", confidence: "Least sure first", "-changed": "Changed last",
    priceFilter: "Price", from: "from", to: "to", sureness: "Category at least", quality: "Picture quality at least",
    onlyReview: "Needs review", onlyPublishable: "Fit for shop pages", all: "All", showAll: "Show all", fewer: "Show fewer",
    look: "What looks like this", lookOff: "By words again", byPicture: "Products that look like your picture",
    seen: "Seen in it", remove: "Remove the picture", searching: "Searching…", notSure: "not sure",
    back: "Back to results", similar: "Similar products", attributes: "What is known", palette: "Colors", text: "Text in the picture",
    boxes: "Boxes", lines: "Text", heat: "Heat map", heatOf: (name) => `Where “${name}” is seen`, loading: "Loading…",
    source: { image: "picture", title: "title", description: "description", ocr: "text in the picture", feed: "feed", correction: "person" },
    sureOf: (percent) => `${percent} sure`, chosen: "chosen", notChosen: "not chosen", evidence: "Evidence",
    evidenceKind: { image_region: "seen here", palette: "share of the product", text_span: "says", ocr_line: "reads", feed_column: "feed says", correction: "a person said so" },
    conflict: "Sources disagree", conflictLine: (a, b) => `${a} against ${b}`, correct: "Correct", save: "Save", cancel: "Cancel",
    saved: "Saved; the next night takes it in.", undo: "Undo", waiting: (n) => (n === 1 ? "1 correction waits for the next night" : `${n} corrections wait for the next night`),
    accept: "Accept", other: "Other…", choose: "Choose a value", freeValue: "A value, as it is written", severalValues: "One, or several with commas", addFact: "Add what is missing…", confirmed: "confirmed",
    reviewTitle: "Review queue", reviewLead: "Products whose category is doubtful or whose sources disagree, least sure first. Keys: ↑ ↓ move, 1–6 choose.",
    reviewDone: "Nothing waits for review.", reasons: { conflict: "sources disagree", no_category: "no category", unsure_category: "doubtful category" },
    reviewFilter: { "": "All", conflict: "Sources disagree", no_category: "No category" },
    whatIsIt: "What is it?", which: (name) => `Which ${name.toLowerCase()}?`,
    quarantineTitle: "Quarantine", quarantineLead: "Feed rows and pictures that could not be used. Nothing here stopped the night.",
    quarantineEmpty: "Nothing is in quarantine.", retryable: "tried again next night", permanent: "needs a change", nights: (n) => `failed on ${n} nights`,
    product: "product", noPicture: "No picture", file: "File", feed: "From the feed", brand: "Brand", identifier: "Identifier", barcode: "Barcode",
    description: "Description", publishable: "fit for shop pages", notPublishable: "not fit for shop pages", needsReview: "needs review",
    twins: "The same picture shows", publication: (n, products) => `Publication ${n}, ${products.toLocaleString("en")} products`, stale: "An older version is served",
    failed: "That did not work", pictureOf: (n, total) => `Picture ${n} of ${total}`, feedCategory: "Category in the feed", qualityOf: "Picture quality",
  },
  zh: {
    skip: "跳到结果", search: "搜索", catalog: "商品", review: "审核", quarantine: "隔离区",
    drop: "拖放图片即可以图搜索", searchHint: "搜索商品，或拖入图片", pick: "以图搜索",
    keys: "快捷键：/ 搜索，方向键移动，回车打开，Esc 返回",
    products: (n) => `${n.toLocaleString("zh")} 件商品`, filters: "筛选", clear: "清除筛选",
    close: "关闭", more: "显示更多", nothing: "没有找到商品。", nothingHint: "请减少关键词或筛选条件。",
    relaxed: "没有商品符合全部条件；以下商品符合其中大部分。",
    followed: (n) => `${n} 件商品符合全部条件；其后的商品符合其中大部分。`, mended: (a, b) => `已将“${a}”更正为“${b}”。`,
    sort: "排序", relevance: "相关度", price: "价格从低到高", "-price": "价格从高到低", "-quality": "图片质量",
    "-confidence": "可信度从高到低", confidence: "可信度从低到高", "-changed": "最近更新",
    priceFilter: "价格", from: "从", to: "到", sureness: "类目可信度不低于", quality: "图片质量不低于",
    onlyReview: "需要审核", onlyPublishable: "可上架", all: "全部", showAll: "显示全部", fewer: "收起",
    look: "外观相似", lookOff: "按文字", byPicture: "与图片相似的商品",
    seen: "识别结果", remove: "移除图片", searching: "搜索中…", notSure: "不确定",
    back: "返回结果", similar: "相似商品", attributes: "商品信息", palette: "颜色", text: "图片中的文字",
    boxes: "区域框", lines: "文字", heat: "热力图", heatOf: (name) => `“${name}”的依据所在`, loading: "加载中…",
    source: { image: "图片", title: "标题", description: "描述", ocr: "图中文字", feed: "商家数据", correction: "人工" },
    sureOf: (percent) => `可信度 ${percent}`, chosen: "采用", notChosen: "未采用", evidence: "依据",
    evidenceKind: { image_region: "图中位置", palette: "占商品面积", text_span: "原文", ocr_line: "识别文字", feed_column: "商家数据", correction: "人工确认" },
    conflict: "来源不一致", conflictLine: (a, b) => `${a} 与 ${b}`, correct: "更正", save: "保存", cancel: "取消",
    saved: "已保存，下一次夜间任务生效。", undo: "撤销", waiting: (n) => `${n} 条更正等待下一次夜间任务`,
    accept: "接受", other: "其他…", choose: "选择", freeValue: "请输入", severalValues: "可填多个，用逗号分隔", addFact: "补充信息…", confirmed: "已确认",
    reviewTitle: "审核队列", reviewLead: "类目存疑或来源不一致的商品，最不确定的在前。快捷键：↑ ↓ 移动，1–6 选择。",
    reviewDone: "没有需要审核的商品。", reasons: { conflict: "来源不一致", no_category: "无类目", unsure_category: "类目存疑" },
    reviewFilter: { "": "全部", conflict: "来源不一致", no_category: "无类目" },
    whatIsIt: "这是什么？", which: (name) => `${name}是哪一个？`,
    quarantineTitle: "隔离区", quarantineLead: "无法使用的数据行和图片；它们没有影响夜间任务。",
    quarantineEmpty: "隔离区为空。", retryable: "下次重试", permanent: "需要处理", nights: (n) => `已失败 ${n} 夜`,
    product: "商品", noPicture: "无图片", file: "文件", feed: "商家数据", brand: "品牌", identifier: "编号", barcode: "条码",
    description: "描述", publishable: "可上架", notPublishable: "不可上架", needsReview: "需要审核",
    twins: "同图商品", publication: (n, products) => `第 ${n} 次发布，${products.toLocaleString("zh")} 件商品`, stale: "当前为旧版本",
    failed: "操作失败", pictureOf: (n, total) => `第 ${n} 张，共 ${total} 张`, feedCategory: "商家类目", qualityOf: "图片质量",
  },
};

const stored = () => {
  try { return localStorage.getItem("language"); } catch { return null; }
};

let language = stored() || (navigator.language.startsWith("zh") ? "zh" : "en");
if (!(language in WORDS)) language = "en";

export const current = () => language;
export const word = (key) => WORDS[language][key] ?? key;
export const named = (names) => (names ? names[language] || names.en : "");
export const otherNamed = (names) => (names ? names[language === "en" ? "zh" : "en"] : "");

export const setLanguage = (value) => {
  language = value;
  try { localStorage.setItem("language", value); } catch { /* private windows keep nothing */ }
};

export const percent = (share) => (share > 0 && share < 0.01 ? "<1%" : `${Math.round(share * 100)}%`);

export const money = (card) => {
  if (card.price === null || card.price === undefined) return "";
  const text = card.price.toLocaleString(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return card.currency ? `${text} ${card.currency}` : text;
};

// Reasons of the night, e.g. "same type + color", are English; their few words are known.
const REASON_WORDS = {
  "looks alike": "外观相似", "same ": "相同", type: "类型", category: "类目", department: "大类", color: "颜色", pattern: "图案", brand: "品牌",
};
export const reasonText = (reason) =>
  language === "en" ? reason : Object.entries(REASON_WORDS).reduce((text, [from, to]) => text.replaceAll(from, to), reason);
