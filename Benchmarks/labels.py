"""The boutique's kind of garment for each label of the home photos that has one."""

KINDS = {
    "Dress": "dress", "Skirt": "skirt", "Pants": "trousers", "Shorts": "shorts", "Shoes": "shoes", "Outwear": "coat", "Blazer": "coat",
    "T-Shirt": "top", "Longsleeve": "top", "Shirt": "top", "Top": "top", "Blouse": "top", "Polo": "top", "Hoodie": "top", "Undershirt": "top",
}
