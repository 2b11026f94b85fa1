/// What the figures of an evaluation mean, each with what it is divided by, under the names that the JSON has.
public enum Definitions {
    /// In the order in which they are best read.
    public static let all: [(name: String, text: String)] = [
        (
            "queries",
            "All queries. Every mean below is over those that have something relevant in the gallery: queries − queries_without_relevant."
        ),
        ("gallery", "Candidates that are ranked for every query: pictures, or products at the level of products."),
        (
            "ties",
            "Candidates of equal scores are ordered against the query: what is not relevant comes before what is. A query is never its own answer."
        ),
        (
            "recall_at",
            "By K: the share of queries with at least one relevant candidate among the first K (also Rank-K, CMC). Divided by the queries."
        ),
        (
            "precision_at",
            "By K: the relevant candidates among the first K, divided by K even where fewer are relevant; the mean over the queries."
        ),
        (
            "map",
            "Mean average precision over the whole ranking: of every query, the sum of the precisions at each relevant candidate, divided by the number "
                + "of its relevant candidates; the mean over the queries."
        ),
        (
            "r_precision",
            "The precision among the first R, R being the number of a query's relevant candidates; the mean over the queries."
        ),
        (
            "map_at_r",
            "MAP@R (Musgrave, Belongie and Lim 2020, arXiv:2003.08505): the sum of the precisions at the relevant candidates among the first R, divided "
                + "by R; the mean over the queries."
        ),
        ("mrr", "One divided by the place of the first relevant candidate; the mean over the queries."),
        ("median_rank", "The median over the queries of the place of the first relevant candidate, counted from 1."),
        (
            "ci95",
            "95 % bootstrap interval: products are drawn with replacement, each with all of its queries, 1000 times; the 2.5th and the 97.5th percentile "
                + "of the means."
        ),
        (
            "level",
            "image: pictures are ranked. product-best: products, each by its picture that is most like the query. product-centroid: products, each by the "
                + "mean of its pictures' vectors, scaled to unit length. The query's own picture is no part of its product."
        ),
        (
            "slices",
            "The same figures over a part of the queries, or with a part of what is relevant; a part's queries are those with something relevant in it. A part of a single product has no interval."
        ),
        (
            "skew",
            "By value of an attribute: its share of the gallery, its share of the first K results of all queries, and ln(first / gallery). ndkl: the mean "
                + "over the queries of the normalised discounted KL divergence of the first K results from the gallery (Geyik, Ambler and Kenthapadi 2019, "
                + "arXiv:1905.01989); 0 where every prefix has the gallery's shares."
        ),
        (
            "text_to_image",
            "Every different caption of the query rows is a query, the gallery's pictures are ranked. Relevant are pictures with an equal caption, and those "
                + "that are relevant to the rows of the caption (--text-relevant-by; caption: equal captions alone). A caption belongs to the product of its first row."
        ),
        (
            "image_to_text",
            "Every query row with a caption is a query, the different captions of the gallery's rows are ranked; relevant are the "
                + "equal caption and those of rows that are relevant to the query."
        ),
        ("mean_cosine", "The mean cosine of two different rows; near 1 the vectors have collapsed to one direction."),
        (
            "duplicates",
            "Groups of rows with bit for bit the same vector, as one picture under two names gives."
        ),
        (
            "latency_ms",
            "Milliseconds of single queries, one after the other, at most 50 of them spread over all: percentiles over these, on the hardware named."
        ),
    ]

    public static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.text) })
}
