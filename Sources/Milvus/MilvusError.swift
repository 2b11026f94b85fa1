#if Milvus
    public import Retrieval

    /// Why a Milvus could not do what it was asked. Each sentence names the server and says what would be right.
    public enum MilvusError: Error, Equatable, Sendable {
        /// What was given as its address is none.
        case address(String, reason: String)
        case token(reason: String)
        /// Nobody answers, or not in time; the same may go well a moment later.
        case unreachable(server: String, reason: String)
        /// It does not let this user in, or not do this.
        case denied(server: String, reason: String)
        /// It answered that it can't do what it was asked; the code is Milvus's own, 0 where gRPC refused.
        case refused(server: String, call: String, reason: String, code: Int)
        /// It answered something else than Milvus's protocol says.
        case answer(server: String, call: String, reason: String)
        case noCollection(server: String, name: String)
        /// It is there, and what fills it has not come to its end for the first time.
        case unfilled(server: String, name: String)
        /// It is there and not in the memory of what searches it.
        case notLoaded(server: String, name: String)
        /// A collection of this name is there, and is none of ours or of another kind.
        case otherSchema(server: String, name: String, found: String, expected: String)
        case otherCatalog(server: String, name: String)
        case otherModel(server: String, name: String, found: String, expected: String)
        /// What a row holds does not fit into the collection.
        case row(id: Int64, reason: String)
        case dimension(found: Int, expected: Int)
        /// What is searched for can't be.
        case query(RetrievalError)
        case resultCount(Int, limit: Int)
        /// So many rows were looked at without finding enough that are admitted.
        case tooDeep(rows: Int)
        /// After everything was written, the collection holds another number of rows than the catalogue.
        case count(server: String, name: String, found: Int, expected: Int)
        /// What the rows come from could not be read.
        case source(String)

        /// Also while the collection is dropped and filled anew.
        public var isAway: Bool {
            switch self {
            case .unreachable, .noCollection, .notLoaded, .unfilled: true
            default: false
            }
        }

        /// Whether the same request may go well a moment later.
        public var isTransient: Bool { if case .unreachable = self { true } else { false } }
    }

    extension MilvusError: RemoteIndexError, CustomStringConvertible {
        public var description: String {
            switch self {
            case .address(let text, let reason):
                "\(text) is no address of a Milvus: \(reason); write one such as http://localhost:19530 or https://host:443/database."
            case .token(let reason): "The token for Milvus can't be used: \(reason)."
            case .unreachable(let server, let reason): "The Milvus at \(server) does not answer: \(reason)."
            case .denied(let server, let reason):
                "The Milvus at \(server) refuses this user: \(reason); give it a token that may read and write collections."
            case .refused(let server, let call, let reason, _): "The Milvus at \(server) refused \(call): \(reason)."
            case .answer(let server, let call, let reason):
                "The Milvus at \(server) answered \(call) with something else than its protocol says: \(reason)."
            case .noCollection(let server, let name):
                "The Milvus at \(server) has no collection \(name); fill it with `stylefinder index sync`."
            case .unfilled(let server, let name):
                "The collection \(name) of the Milvus at \(server) is not filled yet; let `stylefinder index sync` come to its end."
            case .notLoaded(let server, let name): "The Milvus at \(server) has not loaded the collection \(name)."
            case .otherSchema(let server, let name, let found, let expected):
                "The collection \(name) of the Milvus at \(server) was not made by this version: \(found), expected \(expected); `stylefinder index sync --rebuild` makes it anew."
            case .otherCatalog(let server, let name):
                "The collection \(name) of the Milvus at \(server) was filled from another catalogue; name a database of its own, as in http://host:19530/database, or replace it with `stylefinder index sync --rebuild`."
            case .otherModel(let server, let name, let found, let expected):
                "The collection \(name) of the Milvus at \(server) holds vectors of the model \(found), expected \(expected); `stylefinder index sync --rebuild` makes it anew."
            case .row(let id, let reason): "The image \(id) does not fit into Milvus: \(reason)."
            case .dimension(let found, let expected): "The vectors have \(found) dimensions, those of the collection \(expected)."
            case .query(let error): error.description
            case .resultCount(let found, let limit): "\(found) results were asked for, expected 1 to \(limit)."
            case .tooDeep(let rows):
                "The \(rows) rows nearest to the query, which is all that Milvus looks at, hold too few of those that may be found; give it the filter itself."
            case .count(let server, let name, let found, let expected):
                "The collection \(name) of the Milvus at \(server) holds \(found) rows after it was filled, expected \(expected); does something else write into it?"
            case .source(let reason): reason
            }
        }
    }
#endif
