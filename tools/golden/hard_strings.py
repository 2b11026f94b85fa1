"""Strings that tokenizers get wrong, by kind. All our own; written so that each kind can be judged on its own."""

CAPTIONS = [
    "a photo of a red dress",
    "A clothing item in navy blue. Slim-fit chinos with a zip fly & two back pockets.",
    "Women's T-Shirt, 100% cotton, size M",
    "men's wool coat (dark grey), £129.99",
    "Close-up of the knitted sweater's sleeve",
    "V-neck; short-sleeve; relaxed fit",
    "black/white striped top",
    "shoes 38-39",
    "denim jacket #denim @shop",
    "it's what they've said: we'll, I'd, you're, I'm, don't",
    "leather boots, seen from behind",
    "two-piece swimsuit w/ halter neck",
    "low-rise jeans 32\"x34\"",
    "the quick brown fox jumps over the lazy dog",
    "polka dots... everywhere!!!",
    "a pleated skirt -- knee length -- with lining",
    "Hoodie + joggers = set",
    "50% off: 3 for 2",
    "email us: shop@example.com or visit https://example.com/shop?a=1&b=2",
    "trench coat, double breasted, belt at the waist, storm flap, epaulettes, horn buttons",
    "size: xs s m l xl xxl 3xl",
    "high-waisted wide-leg linen trousers in sand",
    "off-the-shoulder blouse",
    "unisex beanie",
    "pair of socks",
]

SPACES = [
    "", " ", "   ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2003\u2003", "\u200b", "\ufeff", "\u2028", "\u0085",
    "  leading", "trailing  ", "two  spaces", "tab\tbetween", "line\nbreak", "windows\r\nbreak", "old mac\rbreak",
    "no-break\u00a0space", "ideographic\u3000space", "thin\u2009space", "narrow\u202fspace", "ogham\u1680space",
    "line\u2028separator", "paragraph\u2029separator", "next\u0085line", "vertical\x0btab", "form\x0cfeed",
    "zero\u200bwidth", "word\u2060joiner", "soft\u00adhyphen", "byte order\ufeff mark", "\ufeffbyte order mark first",
    "mongolian\u180evowel separator", "many \t \n \u2003 kinds", "a\n\n\nb",
]

CONTROLS = [
    "null\x00byte", "bell\x07", "back\x08space", "escape\x1b[31mred\x1b[0m", "\x1b[1;32mgreen bold\x1b[m dress", "\x1bnot a code",
    "delete\x7f", "unit\x1fseparator", "file\x1cseparator", "c1\x93quoted\x94", "euro \x80 5", "ellipsis\x85 next",
    "left\u200eto\u200fright marks", "embedding\u202aabc\u202c", "isolate\u2066abc\u2069", "object\ufffcreplacement",
    "annotation\ufff9base\ufffaruby\ufffb", "arabic deprecated\u206a\u206f", "noncharacter\ufdd0here", "last\U0010ffff plane",
    "private\ue000use", "replacement \ufffd character", "tag\U000e0041\U000e007f",
]

QUOTES = [
    "\u2018single\u2019 quotes", "\u201cdouble\u201d quotes", "women\u2019s dress", "don\u2019t", "\u201alow\u2019 and \u201elow\u201d",
    "\u02bcmodifier apostrophe", "rock \u2019n\u2019 roll", "\u00abguillemets\u00bb", "5\u2032 6\u2033 primes", "`backtick`", "\u00b4acute\u00b4",
    "'''", "''s", "'s", "'S", "'T 'RE 'VE 'M 'LL 'D", "it'S IT'S iT's", "'sample", "'tis", "'really", "'very", "'many", "'llama",
    "'dress", "rock'n'roll", "y'all'd've", "o'clock", "''''ll", "x'", "'\u017f long s after apostrophe", "a'\u017f", "d'Artagnan",
    "l'\u00e9t\u00e9", "\uff07s fullwidth apostrophe",
]

ACCENTS = [
    "caf\u00e9", "cafe\u0301", "na\u00efve", "nai\u0308ve", "\u00c5ngstr\u00f6m", "A\u030angstro\u0308m", "\u212bngstrom sign", "\u2126 ohm sign",
    "\u212a kelvin sign", "cr\u00e8me br\u00fbl\u00e9e", "CRE\u0300ME BRU\u0302LE\u0301E", "se\u00f1or", "SE\u00d1OR", "fa\u00e7ade", "M\u00fcnchen stra\u00dfe", "STRASSE \u1e9e",
    "\u017b\u00f3\u0142\u0107", "Vi\u1ec7t Nam", "Vie\u0323\u0302t Nam", "Vie\u0302\u0323t Nam", "\u0130stanbul", "I\u0307stanbul", "\u0131l\u0131k", "TITLE \u0130I\u0131i",
    "\u01c5 titlecase digraph", "\u0149 old n", "\ufb01t and \ufb02are", "o\ufb03ce", "\ufb05 and \ufb06", "\u0132sselmeer \u0133s", "\u01c4 \u01c7 \u01ca \u01f1",
    "\u00e6ther \u0153uvre \u0152UVRE", "\u00d8re \u00f8re", "Za\u030cba", "q\u0307\u0323", "q\u0323\u0307", "\u1e69 \u1e9b\u0323", "a\u0300\u0301\u0302\u0303", "\u0344", "\u0958",
    "z\u0335\u0322a\u0336l\u0337g\u0338o\u0334", "combining alone \u0301", "\u00ba \u00aa", "\u1d2c modifier",
]

GREEK = [
    "\u039f\u0394\u039f\u03a3", "\u039f\u0394\u039f\u03a3 \u039a\u0391\u0399 \u03a6\u039f\u03a1\u0395\u039c\u0391\u03a3", "\u03a3", "\u03a3\u03a3", "\u0391\u03a3.", "\u0391\u03a3\u0391",
    "\u0391\u03a3\u0301", "A\u03a3 b", "\u0391'\u03a3", "\u0391\u03a3'\u0391", "\u03ba\u03cc\u03ba\u03ba\u03b9\u03bd\u03bf \u03c6\u03cc\u03c1\u03b5\u03bc\u03b1", "\u03ac \u1f71", "\u1fbc \u1f88", "\u03d0\u03f4", "\u0391\u00ad\u03a3",
]

SCRIPTS = [
    "\u043a\u0440\u0430\u0441\u043d\u043e\u0435 \u043f\u043b\u0430\u0442\u044c\u0435", "\u041a\u0420\u0410\u0421\u041d\u041e\u0415 \u041f\u041b\u0410\u0422\u042c\u0415", "\u0451\u043b\u043a\u0430 \u0435\u0308\u043b\u043a\u0430", "\u0439 \u0438\u0306", "\u0407\u0436\u0430\u043a",
    "\u7ea2\u8272\u8fde\u8863\u88d9", "\u9ed1\u8272\u76ae\u9774\uff0c\u539a\u5e95\u3002", "\u8d64\u3044\u30c9\u30ec\u30b9", "\u304b\u3099 \u30cf\u309a", "\uff76\uff9e\uff97\uff7d", "\uff34\uff33\uff28\uff29\uff32\uff34", "\uff11\uff12\uff13", "\uff21\uff22\uff23\u3000\uff44\uff45\uff46\uff01",
    "\ube68\uac04 \uc6d0\ud53c\uc2a4", "\u1107\u1161\u11af", "\uffa1\uffc2", "\u0641\u0633\u062a\u0627\u0646 \u0623\u062d\u0645\u0631", "\u0641\u064f\u0633\u0652\u062a\u064e\u0627\u0646", "\u0627\u0653", "\ufefb \ufdfa",
    "\u05e9\u05de\u05dc\u05d4 \u05d0\u05d3\u05d5\u05de\u05d4", "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd", "\ufb2a", "\u0e0a\u0e38\u0e14\u0e2a\u0e35\u0e41\u0e14\u0e07", "\u0e40\u0e2a\u0e37\u0e49\u0e2d\u0e22\u0e37\u0e14", "\u0932\u093e\u0932 \u092a\u094b\u0936\u093e\u0915", "\u0928\u093c", "\u09b2\u09be\u09b2 \u09aa\u09cb\u09b6\u09be\u0995",
    "\u0b9a\u0bbf\u0bb5\u0baa\u0bcd\u0baa\u0bc1 \u0b89\u0b9f\u0bc8", "\u10ec\u10d8\u10d7\u10d4\u10da\u10d8 \u10d9\u10d0\u10d1\u10d0", "\u1c90\u1c91\u1c92 mtavruli", "\u053f\u0561\u0580\u0574\u056b\u0580", "\u1240\u12ed \u1240\u121a\u1235", "\u13e3\u13b3\u13a9", "\uab70\uab71 cherokee", "\u1820\u1821\u1822", "\u0f56\u0f7c\u0f51",
    "dress \u043f\u043b\u0430\u0442\u044c\u0435 \u88d9\u5b50 \u30c9\u30ec\u30b9 \u0641\u0633\u062a\u0627\u0646", "iPhone\u7528\u30b1\u30fc\u30b9", "T\u30b7\u30e3\u30c4", "Nike\u8fd0\u52a8\u978b42\u7801", "\U00010400\U00010428 deseret", "\U0001d400\U0001d41a math bold", "\U00020000 rare ideograph",
]

NUMBERS = [
    "0", "007", "1234567890", "3.14159", "1,000,000", "1e10", "0x1F", "1/2", "\u00bd \u00bc \u2153", "x\u00b2 + y\u00b3", "H\u2082O", "\u2460\u2461\u2462", "\u2163 \u2168", "\u0664\u0665\u0666", "\u0967\u0968\u0969",
    "\u4e00\u4e8c\u4e09", "12:30pm", "2024-01-31", "+49 30 1234567", "$1.99", "\u20ac1,99", "\u00a5500", "10\u00b0C", "5\u00d73", "10\u00b15%", "no.5", "\u21163", "1st 2nd 3rd", "a1b2c3", "90s", "'90s", "80's",
]

PUNCTUATION = [
    "!!!", "?!?!", "...", "\u2026", "---", "\u2013 \u2014 \u2015", "***bold***", "___", "a_b_c", "~~~", "^^", "<<>>", "<b>bold</b>", "[brackets]", "{braces}", "(paren(nested))", "\\backslash\\", "|pipe|",
    "#1 @2 $3 %4 &5", "\u00a9 \u00ae \u2122", "\u2192\u2190\u2191\u2193", "\u2605\u2606", "\u2713\u2717", "\u00b6\u00a7", "\u00b7\u2022", "\u00bfqu\u00e9? \u00a1s\u00ed!", ":-) ;-) :-(", "\\o/", "\u00af\\_(\u30c4)_/\u00af", "a.b.c", "a...b", "a-b-c",
    "!'s", "?'ll go", "-'-", "\".\"", "=>", "!=", "\u221e \u2260 \u2248 \u2264", "\u3001\u3002\u300c\u300d", "\u2500\u2502\u250c", "\u00a6 \u00ac",
]

EMOJI = [
    "\U0001f457", "\U0001f457\U0001f460\U0001f45c", "red dress \U0001f457!", "\u2764\ufe0f", "\u2764", "\U0001f44d\U0001f3fd", "\U0001f469\u200d\U0001f4bb", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f1e9\U0001f1ea", "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "1\ufe0f\u20e3", "\U0001f9e5\U0001f9e3", "\U0001f525\U0001f525\U0001f525 sale", "\u263a", "\U0001fae0", "\U0001f937\U0001f3fe\u200d\u2640\ufe0f", "\u00a9\ufe0f", "\u2660\u2665", "\U0001f454 & \U0001f456", "so\U0001f60dcute",
]

HTML = [
    "&amp;", "&lt;b&gt;", "fish &amp; chips", "&amp;amp;", "&amp;amp;amp;", "&amp;lt;", "&quot;quoted&quot;", "&apos;s", "&#39;s", "&#x27;s", "&#8217;s", "&nbsp;space", "a&nbsp;b", "&eacute;t&eacute;", "&EACUTE;T&EACUTE;",
    "&Eacute;", "&ntilde; &NTILDE; &nTILDE;", "&szlig; &SZLIG;", "&copy 2020", "&copy2020", "&ampx", "&notit;", "&notin;", "&not;in", "&NotEqualTilde;", "&hellip;", "&euro;5", "&pound;5", "&frac12;", "&times;",
    "&unknown;", "&;", "& amp;", "&#;", "&#x;", "&#0;", "&#128;", "&#x80;", "&#x85;", "&#150;", "&#xD800;", "&#x110000;", "&#99999999999999999999;", "&#x1F457;", "&#128087;", "&#10;", "&#13;", "&#1;", "&#xFFFE;", "&#65&#66;", "&#65b",
    "Q&A", "R&D", "H&M", "AT&T", "a&b;c", "&lt", "&LT;", "&Lt;", "&gt;&gt;", "&bigstar;", "&fjlig;", "&acE;", "<p>&amp;</p>", "<br/>&eacute;", "line &amp; one\n<b> &EACUTE; two\n&EACUTE; three", "&zwj;", "&shy;", "&ensp;|&emsp;",
    "&CounterClockwiseContourIntegral;", "&lsquo;x&rsquo;", "&ldquo;x&rdquo;", "&amp;eacute;", "&amp;#233;", "&AMP;EACUTE;", "&ALPHA;", "&#x2019;&#8220;",
]

SPECIAL = [
    "<|startoftext|>", "<|endoftext|>", "<|STARTOFTEXT|>", "a <|endoftext|> b", "<start_of_text>", "<end_of_text>", "<START_OF_TEXT>", "x<end_of_text>y", "<|endoftext|", "</w>", "dress</w>", "a</w>b", "<|startoftext|>dress<|endoftext|>",
    "[PAD] [UNK] [CLS]", "<s></s>", "\u0120dress", "\u010a",
]

MOJIBAKE = [
    "caf\u00c3\u00a9", "women\u00e2\u20ac\u2122s dress", "\u00e2\u20ac\u0153quoted\u00e2\u20ac\u009d", "na\u00c3\u00afve", "M\u00c3\u00bcnchen", "\u00c2\u00a35", "\u00c2\u00a9 2020", "10\u00c2\u00b0C", "\u00c3\u0089t\u00c3\u00a9", "\u00e2\u201a\u00ac5", "\u00f0\u0178\u2018\u2014", "doesn\u00e2\u0080\u0099t",
    "se\u00c3\u00b1or \u00c3\u00b1", "caf\u00c3\u0192\u00c2\u00a9", "\u00d0\u00ba\u00d1\u20ac\u00d0\u00b0\u00d1\u0081\u00d0\u00bd\u00d0\u00be\u00d0\u00b5", "\u00e7\u00ba\u00a2\u00e8\u2030\u00b2", "\u00e2\u20ac\u201c dash", "Stra\u00c3\u0178e", "\u00c3\u2013sterreich", "\u00c2\u00bd price",
    "MARQU\u00c9\u2122", "\u00c9\u00ae", "\u00fc\u00a9", "\u00ab CAF\u00c9 \u00bb", "\u00c3 la mode", "voil\u00c3 ", "caf\u00c3\u00a9 \u4f60\u597d", "\u0432\u0402\u2122", "\u00c0\u00c1\u00c2\u00c3", "\u00bfQu\u00e9?", "S\u00e3o Paulo", "\u00c2ngstr\u00f6m", "\u00c3o",
    "r\u00c3\u00a9sum\u00c3\u00a9 caf\u00e9", "\u00e2\u20ac\u2122", "\u00c3\u00a9", "d\u00c3\u00a9j\u00c3\u00a0 vu", "\u00ef\u00bb\u00bfbom", "\u00e3\u0081\u201a",
]

LONG = [
    "dress " * 100,
    "dress " * 75,
    "dress " * 76,
    "x" * 500,
    "supercalifragilisticexpialidocious" * 4,
    " ".join(str(number) for number in range(200)),
    "\u7ea2" * 120,
    "\U0001f457" * 60,
    "a,b;c:" * 40,
    "very " * 74 + "nice",
    "A long description of a garment, with its colour, cut, fabric, collar, cuffs, pockets, buttons, seams, hem, lining, "
    "fit, length, occasion, season, care label, origin, price, sizes, and a remark that nobody has ever read to the end "
    "because it simply goes on and on until no context of any model can hold it any longer, and then some more words.",
    "<|endoftext|> " * 90,
]

ZERO_WIDTH = [
    "zero\u200bwidth\u200bspaces", "non\u200cjoiner", "joi\u200dner", "\u200b\u200b", "\u2060dress\u2060", "dress\u200b", "\u200bdress", "red \u200b dress",
    "invisible\u2062times", "variation\ufe0e text", "variation \ufe0f alone", "\u034f grapheme joiner", "a\u034fb", "hangul\u3164filler", "\u115f\u1160",
    "braille\u2800blank", "\u180e", "shy\u00ad\u00adshy", "\u061c arabic mark", "musical\U0001d173beam",
]

RIGHT_TO_LEFT = [
    "\u0641\u0633\u062a\u0627\u0646 dress \u0623\u062d\u0645\u0631", "\u05e9\u05de\u05dc\u05d4 (\u05d0\u05d3\u05d5\u05de\u05d4)", "\u200f\u0641\u0633\u062a\u0627\u0646\u200e", "\u202b\u05e9\u05de\u05dc\u05d4\u202c dress", "\u2067\u05e9\u05de\u05dc\u05d4\u2069", "\u0661\u0662\u0663 \u06f1\u06f2\u06f3",
    "\u067e\u06cc\u0631\u0627\u0647\u0646\u200c\u0647\u0627", "\u0644\u0644\u0651\u0647", "\u0644\u0627 \u0644\u0623 \u0644\u0625", "\u0640\u0640\u0640", "\u061f\u060c\u061b", "\u05be\u05f3\u05f4", "\u0710\u0712\u0713 syriac", "\u07ca\u07cb n'ko",
    "\ufe8d\ufe8e\ufe91 shaped", "\u0627\u064b\u0651\u0655", "\u05d0\u05b7\u05bc\u05c1",
]

MARKS = [
    "e\u0301\u0302", "e\u0323\u0301", "\u00e9\u0323", "o\u0302\u0301 \u1ed1", "a\u0328\u0301", "\u0301", "\u0301\u0301", " \u0301", "\u200b\u0301", "5\u0338", "\u2260 =\u0338", "\uff21\u0308", "\ufb01\u0308",
    "\u30ab\u3099\u30cf\u309a", "\uff76\u3099", "\u1112\u1161\u11ab\u1100\u1173\u11af", "\ud55c\u11a8", "\u0915\u093f\u0902", "\u0915\u094d\u0937", "\u0e01\u0e33 \u0e4d\u0e32", "\u0f71\u0f72", "a\u20dd", "\u2460\u0301", "i\u0307 \u012f\u0307",
    "s\u0323\u0307 \u1e9b\u0323", "\u00b5 \u03bc", "\u1100\u1161\u11a8\u11a8", "x\u0305y\u0305",
]

PIECES = [
    "\u2581", "\u2581dress", "red\u2581dress", "red \u2581 dress", "\u2581\u2581", "dress\u2581", "</s>", "a </s> b", "a</s>b", "</S>", "dress </s>", "</s></s>",
    "<unk>", "<unk> dress", "dress <unk>dress", " <unk> ", "<pad>", "<0x41>", "\uff1cpad\uff1e", "\ufe64unk\ufe65", "red_dress", "_", "__init__", "a _ b",
    "-", "!?", "half-zip", "100% cotton!", "\uff01\uff1f", "\u3002", "\u2026dots\u2026", "\u00bd-sleeve", "\u33a1 \u3392", "\ufdfa", "\u2474\u2475", "\U0001f100", "\u01c4\uff21\u2460", "\u2075\u2086",
    "</s> " * 70,
]

KINDS = {
    "captions": CAPTIONS, "spaces": SPACES, "controls": CONTROLS, "quotes": QUOTES, "accents": ACCENTS, "greek": GREEK,
    "scripts": SCRIPTS, "numbers": NUMBERS, "punctuation": PUNCTUATION, "emoji": EMOJI, "html": HTML, "special": SPECIAL,
    "mojibake": MOJIBAKE, "long": LONG, "zero width": ZERO_WIDTH, "right to left": RIGHT_TO_LEFT, "marks": MARKS, "pieces": PIECES,
}

# What the small vocabularies are not trained on.
UNSEEN = {"zero width", "right to left", "marks", "pieces"}
ALL = [text for texts in KINDS.values() for text in texts]
