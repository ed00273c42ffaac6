internal import Common
internal import GRDB

/// A query for sessions, the newest first, a page by its number.
struct SessionQuery: Sendable {
    var project: Int64
    /// One session alone; nil: all.
    var id: String?
    /// Conditions on the time at which a session began, and on its environment.
    var from: Timestamp?
    var to: Timestamp?
    var environments: [String]?
    var limit = 50
    var offset = 0

    /// The query for the sessions themselves, as `SessionRow` reads them.
    var rows: SQLFragment {
        sessions + SQLFragment(" ORDER BY began DESC, session DESC LIMIT ? OFFSET ?", limit, offset)
    }

    /// The query for their number.
    var count: SQLFragment { "SELECT count(*) FROM (" + sessions + ")" }

    private var sessions: SQLFragment {
        var named: [SQLFragment] = [SQLFragment("o.project = ?", project), "o.session IS NOT NULL"]
        if let id { named.append("o.session = " + SQLFragment(text: id)) }
        var kept: [SQLFragment] = []
        if let from { kept.append(SQLFragment("began >= ?", from)) }
        if let to { kept.append(SQLFragment("began < ?", to)) }
        if let environments { kept.append("environment IN " + .list(environments)) }
        // The index alone tells the sessions and their beginnings; the environment takes one row of each.
        return "SELECT session, began, environment FROM (SELECT session, began, (SELECT x.environment"
            + SQLFragment(
                " FROM observation x INDEXED BY observation_session WHERE x.project = ? AND x.session = g.session",
                project)
            + " AND x.start = began LIMIT 1) AS environment FROM (SELECT o.session AS session, min(o.start) AS began"
            + " FROM observation o INDEXED BY observation_session WHERE " + named.conjunction
            + " GROUP BY o.session) g) WHERE " + kept.conjunction
    }
}
