"""Columns that describe one image: the struct that the extract UDF returns and `image_attributes` stores.

The dataclasses in `udfs` (`Quality`, `TextureDescriptors`, ...) have exactly the fields of the structs here, in the
same order; a test holds the two together.
"""

from __future__ import annotations

from schemas.contract import Array, Column, Struct
from schemas.text_columns import TEXT_COLUMNS

BOX = Struct(
    (
        Column("x_min", "float", "Left edge", "px of the upright source image"),
        Column("y_min", "float", "Top edge", "px of the upright source image"),
        Column("x_max", "float", "Right edge, exclusive", "px of the upright source image"),
        Column("y_max", "float", "Bottom edge, exclusive", "px of the upright source image"),
    )
)

QUALITY = Struct(
    (
        Column("score", "float", "Overall usability: product of the single penalties", "0..1, 1 is best"),
        Column("sharpness", "float", "Laplacian variance at 512 px in the sharpest quarter, log-compressed", "0..1"),
        Column("brightness", "float", "Mean luma", "0..1"),
        Column("contrast", "float", "Standard deviation of luma", "0..1"),
        Column("dark_clipped_share", "float", "Pixels with luma <= 2/255", "share 0..1"),
        Column("bright_clipped_share", "float", "Pixels with luma >= 253/255", "share 0..1"),
        Column("noise_sigma", "float", "Noise standard deviation (Immerkaer 1996)", "8-bit levels"),
        Column("color_cast", "float", "Chroma of the mean of near-gray pixels", "CIELAB units"),
        Column("border_uniformity", "float", "1 - spread of the border's color", "0..1"),
        Column("white_background_share", "float", "Border pixels that are near white", "share 0..1"),
        Column("blockiness", "float", "JPEG block-edge excess over inner gradients", "ratio, 0 is none"),
    )
)

REGION = Struct(
    (
        Column("box", BOX, "Bounding box of the product"),
        Column("area_share", "float", "Product mask's share of the image area", "0..1"),
        Column("confidence", "float", "Trust in the mask", "0..1"),
        Column("method", "string", "How it was found: detector, border, contrast, full_frame"),
    )
)

COLOR = Struct(
    (
        Column("name", "string", "Palette name, English"),
        Column("name_zh", "string", "Palette name, Chinese"),
        Column("hex", "string", "sRGB of the cluster center, #rrggbb"),
        Column("lab_l", "float", "CIELAB lightness of the cluster center (D65)", "0..100"),
        Column("lab_a", "float", "CIELAB a* of the cluster center"),
        Column("lab_b", "float", "CIELAB b* of the cluster center"),
        Column("share", "float", "Share of the product's pixels", "0..1"),
    )
)

TEXTURE = Struct(
    (
        Column("edge_density", "float", "Share of product pixels on an edge", "0..1"),
        Column(
            "orientation_degrees", "float", "Dominant stripe direction; 0 is horizontal, 90 vertical", "degrees 0..180"
        ),
        Column("anisotropy", "float", "Coherence of the structure tensor", "0..1"),
        Column("periodicity", "float", "Height of the strongest autocorrelation peak off the origin", "0..1"),
        Column("period_px", "float", "Lag of that peak at 256 px long side; 0 when none", "px"),
        Column("entropy", "float", "Entropy of the uniform LBP histogram (Ojala 2002)", "0..1"),
        Column("contrast", "float", "Grey-level co-occurrence contrast (Haralick 1973), compressed", "0..1"),
        Column("homogeneity", "float", "Grey-level co-occurrence homogeneity (Haralick 1973)", "0..1"),
        Column("colorfulness", "float", "Hasler and Suesstrunk 2003", ">= 0"),
    )
)

SHAPE = Struct(
    (
        Column("aspect_ratio", "float", "Width / height of the product's box", "> 0"),
        Column("fill", "float", "Mask area / box area", "0..1"),
        Column("solidity", "float", "Mask area / convex hull area", "0..1"),
        Column("circularity", "float", "4 pi area / perimeter^2 of the smoothed contour", "0..1"),
        Column("eccentricity", "float", "Of the ellipse with the mask's second moments", "0..1"),
        Column("symmetry", "float", "IoU of the mask with its left-right mirror image", "0..1"),
        Column("top_bottom_ratio", "float", "Mean width of the top third / of the bottom third", ">= 0"),
        Column("holes", "int", "Holes in the mask above 0.5% of its area (handles, straps)"),
    )
)

SCORED_CATEGORY = Struct(
    (
        Column("category", "string", "Taxonomy path, e.g. apparel/topwear/t-shirt"),
        Column("score", "float", "Probability", "0..1"),
    )
)

SCORED_LABEL = Struct(
    (
        Column("label", "string", "The model's own label"),
        Column("score", "float", "Probability", "0..1"),
    )
)

MODEL_ATTRIBUTE = Struct(
    (
        Column("attribute", "string", "color, pattern, shape, gender, season, usage, text_present; as the bundle has"),
        Column("value", "string", "The model's most probable label"),
        Column("confidence", "float", "Its probability, calibrated on validation pictures", "0..1"),
        Column("is_stated", "boolean", "Whether the confidence reaches the bundle's threshold; else only a guess"),
    )
)

DETECTION = Struct(
    (
        Column("label", "string", "product, tag (price tags, hang tags) or text (a region of lines)"),
        Column("box", BOX, "Where it is"),
        Column("score", "float", "The detector's belief", "0..1"),
    )
)

STEP_MILLISECONDS = Struct(
    (
        Column("fetch", "float", "Reading the bytes (overlaps with the other steps)", "ms"),
        Column("decode", "float", "Header probe and decoding", "ms"),
        Column("preprocess", "float", "White balance, contrast, denoising where called for", "ms"),
        Column("quality", "float", "Quality measures and perceptual hash", "ms"),
        Column("segment", "float", "Product region from the detector's answer, or the classical cut", "ms"),
        Column("features", "float", "Color, texture, shape", "ms"),
        Column("models", "float", "Category, embedding and attributes, this image's part of its micro-batch", "ms"),
        Column("detect", "float", "The detector, this image's part of its micro-batch", "ms"),
        Column("text", "float", "Reading text and barcodes, this image's part of those with text", "ms"),
    )
)

IMAGE_COLUMNS: tuple[Column, ...] = (
    Column("format", "string", "Container format: jpeg, png, webp, gif, bmp, tiff, avif"),
    Column("width_px", "int", "Width after EXIF orientation", "px"),
    Column("height_px", "int", "Height after EXIF orientation", "px"),
    Column("size_bytes", "bigint", "File size", "bytes"),
    Column("perceptual_hash", "string", "64-bit DCT hash (pHash) as 16 hex digits; near-duplicates differ in few bits"),
    Column(
        "copy_print",
        "string",
        "What tells copies from look-alikes: the hashes of the picture without 5% and 10% at each edge, 16 hex digits "
        "each, then base64 of 24 x 24 luma, 12 x 12 Cr and Cb of the picture squeezed to a square",
    ),
    Column("quality", QUALITY, "Quality measures of the original picture"),
    Column(
        "enhancements", Array("string"), "Corrections applied before the features: white_balance, contrast, denoise"
    ),
    Column("region", REGION, "Where the product is"),
    Column("color", "string", "Name of the main product color in the palette"),
    Column("color_confidence", "float", "Trust in `color`", "0..1"),
    Column("colors", Array(COLOR), "Dominant colors of the product, largest share first"),
    Column("pattern", "string", "solid, striped, checked, dotted, printed or textured"),
    Column("pattern_confidence", "float", "Trust in `pattern`", "0..1"),
    Column("texture", TEXTURE, "Texture descriptors of the product region"),
    Column("shape", "string", "Contour class: rectangular, round, tall, wide, tapered_up, tapered_down, irregular"),
    Column("shape_confidence", "float", "Trust in `shape`", "0..1"),
    Column("shape_descriptors", SHAPE, "Shape descriptors of the product mask"),
    Column("category", "string", "Best taxonomy path above its threshold, null when the model is not sure"),
    Column("category_confidence", "float", "Probability of the best path", "0..1"),
    Column("category_candidates", Array(SCORED_CATEGORY), "Best paths, most probable first"),
    Column("labels", Array(SCORED_LABEL), "The model's own best labels, most probable first"),
    Column("model_attributes", Array(MODEL_ATTRIBUTE), "What the model's attribute heads say, one per head"),
    Column("detections", Array(DETECTION), "Boxes of the bundle's detector; null when it has none"),
    *TEXT_COLUMNS,
    Column("embedding", Array("float"), "L2-normalised image embedding; its length is in the bundle's manifest"),
    Column("step_ms", STEP_MILLISECONDS, "Time spent on this image per step"),
)
