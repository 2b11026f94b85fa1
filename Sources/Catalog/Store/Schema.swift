import GRDB

/// The tables of a catalogue file, and how older files are brought up to date.
///
///     products            one row a product
///     product_attributes  what holds for all its pictures, by key
///     images              one row a picture: product, file, content hash, state, and the columns only a picture has
///     image_attributes    what holds for one picture and not for its product
///     models              fingerprint, name and dimension of each model that has vectors
///     vectors             one F32 little-endian blob per image and model, of unit length
///     kept_vectors        the same by content hash, of pictures that were removed or changed, with the time they were (s since 1970)
///     changes             what the last writers touched, one row a touched row of the others, written by triggers
///     settings            what holds for the whole catalogue: its `language`; its `identity`, drawn when it was made
///     words               the index of words (FTS5), one row a product; word_entries says which. words_due: products whose words changed
enum Schema {
    /// "SFCT" in the header of the file (SQLite's application_id): tells a catalogue from other SQLite files.
    static let applicationID: Int32 = 0x5346_4354

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        // A migration's name is in every file it was applied to: add migrations, never change one.
        migrator.registerMigration("1 products, images, vectors") { db in
            try db.execute(
                sql: """
                    PRAGMA application_id = \(applicationID);

                    CREATE TABLE products (
                        id TEXT PRIMARY KEY NOT NULL, title TEXT, category TEXT, brand TEXT, price REAL CHECK (price >= 0),
                        currency TEXT, url TEXT, in_stock INTEGER CHECK (in_stock IN (0, 1)), description TEXT
                    );
                    CREATE TABLE product_attributes (
                        product_id TEXT NOT NULL REFERENCES products ON DELETE CASCADE, key TEXT NOT NULL, value TEXT NOT NULL,
                        PRIMARY KEY (product_id, key)
                    ) WITHOUT ROWID;
                    CREATE INDEX product_attributes_by_value ON product_attributes (key, value);

                    CREATE TABLE images (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        product_id TEXT NOT NULL REFERENCES products ON DELETE CASCADE,
                        path TEXT NOT NULL UNIQUE,
                        source TEXT NOT NULL,
                        sha256 TEXT CHECK (length(sha256) = 64), size INTEGER, changed INTEGER,
                        width INTEGER, height INTEGER,
                        view TEXT, color TEXT, caption TEXT, split TEXT,
                        state TEXT NOT NULL CHECK (state IN ('ok', 'missing', 'broken')), reason TEXT,
                        CHECK (state <> 'ok' OR (sha256 IS NOT NULL AND width > 0 AND height > 0))
                    );
                    CREATE INDEX images_by_product ON images (product_id);
                    CREATE INDEX images_by_content ON images (sha256);
                    CREATE INDEX images_by_source ON images (source);
                    CREATE TABLE image_attributes (
                        image_id INTEGER NOT NULL REFERENCES images ON DELETE CASCADE, key TEXT NOT NULL, value TEXT NOT NULL,
                        PRIMARY KEY (image_id, key)
                    ) WITHOUT ROWID;
                    CREATE INDEX image_attributes_by_value ON image_attributes (key, value);

                    CREATE TABLE models (
                        id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
                        dimension INTEGER NOT NULL CHECK (dimension > 0)
                    );
                    CREATE TABLE vectors (
                        image_id INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
                        model_id INTEGER NOT NULL REFERENCES models ON DELETE CASCADE,
                        components BLOB NOT NULL,
                        PRIMARY KEY (image_id, model_id)
                    );
                    CREATE INDEX vectors_by_model ON vectors (model_id, image_id);
                    """)
        }
        migrator.registerMigration("2 kept vectors") { db in
            // Triggers, since whoever deletes a picture or changes its content keeps its vectors by that; a picture that goes with its product
            // is deleted by SQLite itself.
            try db.execute(
                sql: """
                    CREATE TABLE kept_vectors (
                        sha256 TEXT NOT NULL,
                        model_id INTEGER NOT NULL REFERENCES models ON DELETE CASCADE,
                        components BLOB NOT NULL,
                        kept INTEGER NOT NULL,
                        PRIMARY KEY (sha256, model_id)
                    );
                    CREATE INDEX kept_vectors_by_model ON kept_vectors (model_id);
                    CREATE INDEX kept_vectors_by_time ON kept_vectors (kept);
                    CREATE TRIGGER images_deleted_keep_vectors BEFORE DELETE ON images WHEN OLD.sha256 IS NOT NULL BEGIN
                        INSERT OR REPLACE INTO kept_vectors
                        SELECT OLD.sha256, model_id, components, CAST(strftime('%s', 'now') AS INTEGER) FROM vectors
                        WHERE image_id = OLD.id;
                    END;
                    CREATE TRIGGER images_changed_keep_vectors BEFORE UPDATE OF sha256 ON images
                    WHEN OLD.sha256 IS NOT NULL AND OLD.sha256 IS NOT NEW.sha256 BEGIN
                        INSERT OR REPLACE INTO kept_vectors
                        SELECT OLD.sha256, model_id, components, CAST(strftime('%s', 'now') AS INTEGER) FROM vectors
                        WHERE image_id = OLD.id;
                    END;
                    """)
        }
        migrator.registerMigration("2b ids in one spelling") { db in
            // Once two ids could differ in Unicode normalisation alone, which Swift takes for one text and SQLite for two.
            for id in try String.fetchAll(db, sql: "SELECT id FROM products") where ExactText(id.oneSpelling) != ExactText(id) {
                try db.execute(
                    sql: "UPDATE OR IGNORE products SET id = ? WHERE id = ?", arguments: [id.oneSpelling, id])
                try db.execute(
                    sql: "UPDATE OR IGNORE product_attributes SET product_id = ? WHERE product_id = ?",
                    arguments: [id.oneSpelling, id])
                try db.execute(sql: "UPDATE images SET product_id = ? WHERE product_id = ?", arguments: [id.oneSpelling, id])
                // What is left of the one that was merged into the other.
                try db.execute(sql: "DELETE FROM product_attributes WHERE product_id = ?", arguments: [id])
                try db.execute(sql: "DELETE FROM products WHERE id = ?", arguments: [id])
            }
        }
        registerChanges(in: &migrator)
        registerWords(in: &migrator)
        return migrator
    }

    /// Whether a catalogue can be served as it is: later migrations add to the first one's tables, and reading does without them.
    static func canBeRead(_ db: Database) throws -> Bool {
        try migrator.appliedIdentifiers(db).contains("1 products, images, vectors")
    }

    /// The log of changes. It is kept by triggers, so that no writer can forget it, and its entries stand or fall with the transaction that
    /// they tell of. `changes` says which columns mean what; see `ChangeSet` for how it is read.
    private static func registerChanges(in migrator: inout DatabaseMigrator) {
        migrator.registerMigration("3 changes") { db in
            // sequence grows without gaps. One of image_id (the picture, or its attributes), product_id (the product, or its attributes),
            // image_id and model_id (a vector), model_id (the model itself) is set.
            try db.execute(
                sql: """
                    CREATE TABLE changes (
                        sequence INTEGER PRIMARY KEY AUTOINCREMENT, image_id INTEGER, product_id TEXT, model_id INTEGER
                    );
                    CREATE TRIGGER changes_bound AFTER INSERT ON changes WHEN NEW.sequence > \(changesKept) BEGIN
                        DELETE FROM changes WHERE sequence <= NEW.sequence - \(changesKept);
                    END;
                    """)
            for (table, subject, columns) in [
                ("products", ["id"], ["product_id"]), ("product_attributes", ["product_id"], ["product_id"]),
                ("images", ["id"], ["image_id"]), ("image_attributes", ["image_id"], ["image_id"]),
                ("vectors", ["image_id", "model_id"], ["image_id", "model_id"]), ("models", ["id"], ["model_id"]),
            ] {
                func values(_ row: String) -> String { subject.map { "\(row).\($0)" }.joined(separator: ", ") }
                let log = "INSERT INTO changes (\(columns.joined(separator: ", ")))"
                for (event, source) in [
                    ("INSERT", "SELECT \(values("NEW"))"), ("DELETE", "SELECT \(values("OLD"))"),
                    // Both, for a row that goes from one subject to another.
                    ("UPDATE", "SELECT \(values("NEW")) UNION SELECT \(values("OLD"))"),
                ] {
                    // A model's first vector tells of the model.
                    if table == "models", event == "INSERT" { continue }
                    try db.execute(
                        sql:
                            "CREATE TRIGGER \(table)_\(event.lowercased()) AFTER \(event) ON \(table) BEGIN \(log) \(source); END"
                    )
                }
            }
        }
    }

    /// So many entries are kept: some megabytes, and more than a server misses that looks every second.
    static let changesKept = 200_000

    /// The index of words. Triggers note which products changed, so that no writer can forget it; the words themselves are brought up to date by
    /// whoever ends a transaction, once a product and not once a row.
    private static func registerWords(in migrator: inout DatabaseMigrator) {
        migrator.registerMigration("4 words") { db in
            try db.execute(
                sql: """
                    CREATE TABLE settings (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;
                    CREATE TABLE word_entries (key INTEGER PRIMARY KEY, product_id TEXT NOT NULL UNIQUE);
                    CREATE TABLE words_due (product_id TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID;
                    CREATE VIRTUAL TABLE words USING fts5(
                        id, title, category, brand, attributes, pictures, description,
                        tokenize = 'unicode61 remove_diacritics 2', prefix = '2 4'
                    );
                    """)
            let ofImage = "SELECT product_id FROM images WHERE id = "
            for (table, columns, product) in [
                ("products", "id, title, category, brand, description", { "\($0).id" }),
                ("product_attributes", "product_id, key, value", { "\($0).product_id" }),
                ("images", "product_id, color, caption, state", { "\($0).product_id" }),
                ("image_attributes", "image_id, key, value", { "(\(ofImage)\($0).image_id)" }),
            ] as [(String, String, (String) -> String)] {
                // Not INSERT OR IGNORE: a statement that fires a trigger with another policy for conflicts imposes it there.
                func note(_ row: String) -> String {
                    """
                    INSERT INTO words_due SELECT \(product(row)) WHERE \(product(row)) IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM words_due WHERE product_id = \(product(row)));
                    """
                }
                for (event, rows) in [("INSERT", ["NEW"]), ("DELETE", ["OLD"]), ("UPDATE OF \(columns)", ["OLD", "NEW"])] {
                    let name = event.prefix { $0 != " " }.lowercased()
                    try db.execute(
                        sql: """
                            CREATE TRIGGER words_of_\(table)_\(name) AFTER \(event) ON \(table) BEGIN
                                \(rows.map(note).joined(separator: "\n"))
                            END
                            """)
                }
            }
            try db.execute(sql: "INSERT INTO words_due SELECT id FROM products")
            try CatalogStore.settleWords(db)
        }
        migrator.registerMigration("5 identity") { db in
            try db.execute(sql: "INSERT INTO settings (key, value) VALUES ('identity', lower(hex(randomblob(16))))")
        }
    }
}
