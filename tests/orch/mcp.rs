//! `git orch mcp`: the commands as tools of the Model Context Protocol.

use serde_json::{Value, json};

use crate::support::{TestRepo, skip, with_agents};

/// Two sessions.
fn shop() -> TestRepo {
    let repo = TestRepo::new();
    for (name, path) in [("backend", "src/api"), ("frontend", "src/web")] {
        repo.orch(&["add-session", name, "--paths", path, "--adopt-history", "-q"]).expect_success();
    }
    repo
}

/// Says these messages, one a line; what was answered, sorted by id.
fn said(repo: &TestRepo, messages: &[Value]) -> Vec<Value> {
    let lines: String = messages.iter().map(|message| format!("{message}\n")).collect();
    let output = repo.call(&["mcp"]).stdin(&lines).run();
    assert_eq!((output.exit, output.stderr.as_str()), (0, ""), "{output}");
    let mut answers: Vec<Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    answers.sort_by_key(|answer| answer["id"].to_string());
    answers
}

fn request(id: u64, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// Uses one tool; its result.
fn used(repo: &TestRepo, tool: &str, arguments: Value) -> Value {
    let call = request(1, "tools/call", json!({ "name": tool, "arguments": arguments }));
    said(repo, &[call]).remove(0)["result"].take()
}

/// The first text of a result.
fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

#[test]
fn a_client_shakes_hands_and_learns_the_tools() {
    let repo = shop();
    let hello = |version: &str| {
        let client = json!({ "name": "test", "version": "1" });
        request(
            1,
            "initialize",
            json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client }),
        )
    };
    for (asked, spoken) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2099-01-01", "2025-06-18"),
    ] {
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let messages =
            [hello(asked), initialized, request(2, "ping", json!({})), request(3, "tools/list", json!({}))];
        let answers = said(&repo, &messages);
        assert_eq!(answers.len(), 3, "{answers:?}");
        let welcome = &answers[0]["result"];
        assert_eq!(welcome["protocolVersion"], spoken);
        assert_eq!(welcome["capabilities"], json!({ "tools": {} }));
        assert_eq!(welcome["serverInfo"]["name"], "git-orch");
        assert_eq!(answers[1], json!({ "jsonrpc": "2.0", "id": 2, "result": {} }));
        let tools = answers[2]["result"]["tools"].as_array().unwrap();
        let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            [
                "route",
                "who_knows",
                "task",
                "tasks",
                "show",
                "brief",
                "note",
                "report",
                "done",
                "review",
                "conflicts"
            ]
        );
        assert_eq!(
            tools[1]["inputSchema"],
            json!({
                "type": "object",
                "properties": {
                    "path": { "type": "string", "description": "A file, folder or glob, from the repository's top" }
                },
                "required": ["path"],
                "additionalProperties": false
            })
        );
    }
}

#[test]
fn what_is_wrong_is_told_by_its_code_and_nothing_else_is_said() {
    let repo = TestRepo::new();
    let lines = [
        r#"{"jsonrpc":"2.0","id":1,"method":"resources/list"}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"no_such"}}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"show","arguments":{}}}"#,
        r#"{"jsonrpc":"2.0","id":4,"method":"initialize"}"#,
        r#"{"jsonrpc":"2.0","method":"no/such/notification"}"#,
        r#"{"jsonrpc":"2.0","id":5,"result":{}}"#,
        "",
        r#"[{"jsonrpc":"2.0","id":6,"method":"ping"},{"jsonrpc":"2.0","method":"x"},{"jsonrpc":"2.0","id":7,"method":"y"}]"#,
        r#"[{"jsonrpc":"2.0","method":"x"}]"#,
    ];
    let output = repo.call(&["mcp"]).stdin(&(lines.join("\n") + "\n{\"json")).run();
    let mut answers: Vec<&str> = output.stdout.lines().collect();
    answers.sort_unstable();
    assert_eq!((output.exit, output.stderr.as_str()), (0, ""));
    assert_eq!(
        answers,
        [
            r#"[{"id":6,"jsonrpc":"2.0","result":{}},{"error":{"code":-32601,"message":"method not found: y"},"id":7,"jsonrpc":"2.0"}]"#,
            r#"{"error":{"code":-32601,"message":"method not found: resources/list"},"id":1,"jsonrpc":"2.0"}"#,
            r#"{"error":{"code":-32602,"message":"`name` is missing"},"id":3,"jsonrpc":"2.0"}"#,
            r#"{"error":{"code":-32602,"message":"`protocolVersion` is missing"},"id":4,"jsonrpc":"2.0"}"#,
            r#"{"error":{"code":-32602,"message":"unknown tool: no_such"},"id":2,"jsonrpc":"2.0"}"#,
            r#"{"error":{"code":-32700,"message":"parse error: EOF while parsing a string at line 1 column 6"},"id":null,"jsonrpc":"2.0"}"#,
        ]
    );
}

#[test]
fn a_tool_answers_as_its_command_does() {
    let repo = shop();
    repo.orch(&["task", "fix login", "--session", "backend", "-q", "--", &repo.agent("edit.sh")])
        .expect_success();
    for (tool, arguments, command) in [
        (
            "route",
            json!({ "text": "web cart", "paths": ["src/web"] }),
            &["route", "web cart", "--paths=src/web"][..],
        ),
        ("who_knows", json!({ "path": "src/api/login.rs" }), &["route", "--paths", "src/api/login.rs"]),
        ("tasks", json!({ "all": true }), &["tasks", "--all"]),
        ("show", json!({ "name": "fix-login" }), &["show", "fix-login"]),
        ("show", json!({ "name": "backend" }), &["show", "backend"]),
        ("brief", json!({ "task": "fix-login" }), &["brief", "fix-login"]),
        ("review", json!({}), &["review"]),
        ("review", json!({ "task": "fix-login", "diff": true }), &["review", "fix-login", "--diff"]),
        ("conflicts", json!({}), &["conflicts"]),
    ] {
        let result = used(&repo, tool, arguments);
        let typed = repo.call(&[command, &["--json", "-q"]].concat()).run();
        assert_eq!(text(&result), typed.stdout.trim_end(), "{tool}");
        assert_eq!(result["structuredContent"], typed.json(), "{tool}");
        assert_eq!(result["isError"], false, "{tool}");
    }
    let knows = used(&repo, "who_knows", json!({ "path": "src/api/login.rs" }));
    assert_eq!(knows["structuredContent"]["data"]["choice"], "backend");
}

#[test]
fn a_command_that_fails_says_why_and_what_helps() {
    let repo = shop();
    let result = used(&repo, "show", json!({ "name": "backnd" }));
    assert_eq!(result["isError"], true);
    assert_eq!(
        text(&result),
        "error: no session or task `backnd`; did you mean `backend`?\nhint: `git orch tasks --all` lists them"
    );
    assert_eq!(result["structuredContent"]["error"]["kind"], "usage");
    let outside = said(
        &repo,
        &[request(1, "tools/call", json!({ "name": "report", "arguments": { "state": "working" } }))],
    );
    assert_eq!(outside[0]["result"]["isError"], true, "{outside:?}");
    let nowhere = repo
        .call(&["mcp"])
        .within(repo.top())
        .stdin(&format!("{}\n", request(1, "tools/call", json!({ "name": "tasks" }))));
    let nowhere: Value = nowhere.run().json();
    assert!(text(&nowhere["result"]).starts_with("error: `"), "{nowhere}");
}

#[test]
fn a_task_is_given_at_once_and_carried_out_behind() {
    let repo = shop();
    let config = format!(
        "version: 1\nagents:\n  default: house\n  house: {{ run: [sh, -c, 'until [ -e ../../go ]; do sleep 0.02; done; {} api.txt'] }}\n",
        repo.agent("edit.sh")
    );
    repo.write(".orch.yml", &config);
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    let result = used(&repo, "task", json!({ "text": "--session=frontend", "paths": ["src/api"] }));
    let task = &result["structuredContent"]["data"];
    assert_eq!(
        (&task["name"], &task["session"]),
        (&"session-frontend".into(), &"backend".into()),
        "{result}"
    );
    assert_eq!((&task["text"], &task["state"]), (&"--session=frontend".into(), &"queued".into()));
    let refused = used(&repo, "task", json!({ "text": "--session=frontend" }));
    assert!(
        text(&refused).starts_with("error: the same task is open already: `session-frontend`"),
        "{refused}"
    );
    repo.shell("touch ../go; git orch wait session-frontend").run().expect(
        "
        exit 0
        -- stdout
        session-frontend is review
        ",
    );
}

#[test]
fn what_is_warned_of_is_told_too() {
    let repo = shop();
    repo.shell("echo x >>../shop.orch/frontend/src/api/login.rs").run().expect("exit 0");
    let result =
        used(&repo, "task", json!({ "text": "fix it", "paths": ["src/api/login.rs"], "agent": "person" }));
    assert_eq!(result["isError"], false, "{result}");
    assert_eq!(
        result["content"][1]["text"],
        "warning: src/api/login.rs is being changed by frontend (uncommitted)"
    );
    repo.shell("until git orch tasks | grep -q running; do sleep 0.02; done").run().expect("exit 0");
}

#[test]
fn an_agent_speaks_of_its_own_task() {
    let repo = shop();
    let call = |id: u64, tool: &str, arguments: Value| {
        request(id, "tools/call", json!({ "name": tool, "arguments": arguments })).to_string()
    };
    let asks = call(1, "report", json!({ "state": "input", "text": "--which tone?" }));
    let done = call(2, "done", json!({}));
    let script = format!(
        "echo x >x.txt; echo '{asks}' | git orch mcp >/dev/null; git orch tasks >../../seen
        echo '{done}' | git orch mcp >../../done"
    );
    repo.orch(&["task", "fix login", "--session", "backend", "-q", "--", "sh", "-c", &script])
        .expect_success();
    let seen = repo.read("seen");
    assert!(seen.contains("fix-login asks, ") && seen.contains(" ago: --which tone?"), "{seen}");
    let done: Value = serde_json::from_str(&repo.read("done")).unwrap();
    assert_eq!(done["result"]["isError"], false, "{done}");
}

/// A server whose client waits for a look that takes long.
const LOOKS: &str = "exec 2>&1; mkfifo ../in; git-orch mcp <../in >../out & server=$!; exec 3>../in
    echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"review\",\"arguments\":{\"task\":\"fix-login\",\"by\":\"frontend\"}}}' >&3
    until [ -s ../looks ]; do sleep 0.02; done;";

/// A result, and a session whose agent looks until it may end.
fn looked_at() -> TestRepo {
    let repo = shop();
    let at = repo.top().display();
    let house = format!(
        "version: 1\nagents:\n  default: house\n  house: {{ run: [sh, -c, 'echo $$ >{at}/looks; until [ -e {at}/go ]; do sleep 0.02; done'] }}\n"
    );
    repo.write(".orch.yml", &house);
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    repo.orch(&["task", "fix login", "--session", "backend", "-q", "--", &repo.agent("edit.sh")])
        .expect_success();
    repo
}

#[test]
fn one_that_takes_long_keeps_no_other_waiting() {
    let repo = looked_at();
    let script = format!(
        "{LOOKS} echo '{}' >&3; until grep -q '\"id\":2' ../out; do sleep 0.02; done; grep -c '\"id\":1' ../out
        touch ../go; exec 3>&-; wait $server; echo $?; grep -c '\"id\":1' ../out",
        request(2, "ping", json!({}))
    );
    repo.shell(&script).run().expect(
        "
        exit 0
        -- stdout
        0
        0
        1
        ",
    );
}

#[test]
fn what_a_killed_server_called_ends_with_it() {
    let repo = looked_at();
    let script = format!(
        "{LOOKS} kill -9 $server; until ! kill -0 $(cat ../looks) 2>/dev/null; do sleep 0.02; done; echo gone"
    );
    repo.shell(&script).run().expect(
        "
        exit 0
        -- stdout
        gone
        ",
    );
}

/// The protocol's own SDK for Python, where this machine has it.
#[test]
#[ignore = "needs the Python SDK of the protocol"]
fn second_tier_the_python_sdk_drives_it() {
    let repo = shop();
    let path = python_path();
    let sdk = |script: &str| repo.shell(script).env("PYTHONPATH", &path).run();
    let has = sdk("python3 -c 'import mcp'");
    if has.exit != 0 && !is_ci() {
        return skip("this machine has no Python SDK of the Model Context Protocol: pip install mcp");
    }
    has.expect_success();
    let house =
        format!("version: 1\nagents:\n  default: house\n  house: {{ run: [{}] }}\n", repo.agent("edit.sh"));
    repo.write(".orch.yml", &house);
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    let client = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/mcp/client.py");
    sdk(&format!("python3 {client}")).expect(
        r#"
        exit 0
        -- stdout
        server git-orch
        version 2025-06-18
        tools route who_knows task tasks show brief note report done review conflicts
        knows False backend
        task False fix-login queued
        state review
        failed True "usage"
        "#,
    );
}

#[expect(clippy::disallowed_methods, reason = "modules are found by it")]
fn python_path() -> String {
    std::env::var("PYTHONPATH").unwrap_or_default()
}

fn is_ci() -> bool {
    std::env::vars_os().any(|(key, _)| key == "CI")
}

/// Claude Code itself, with the server as its own and hooks that report; its
/// model is played by a script.
#[test]
#[ignore = "needs Claude Code and Python"]
fn second_tier_claude_code_uses_a_tool_and_its_hooks_report() {
    let repo = shop();
    let at = repo.top().display().to_string();
    let orch = json!({ "mcpServers": { "orch": { "command": "git", "args": ["orch", "mcp"] } } });
    let see = format!("git orch show $GIT_ORCH_TASK | grep reports >>{at}/seen");
    let hook = |command: String| json!([{ "hooks": [{ "type": "command", "command": command }] }]);
    let hooks = json!({ "hooks": {
        "PreToolUse": hook(format!("git orch report --hook; {see}")),
        "PostToolUse": hook(see.clone()),
        "Stop": hook(format!("git orch report --hook; {see}")),
    } });
    std::fs::write(repo.top().join("orch.json"), orch.to_string()).unwrap();
    std::fs::write(repo.top().join("hooks.json"), hooks.to_string()).unwrap();
    let text = r#"Use the tool mcp__orch__report with {"state":"input","text":"which tone?"}"#;
    let script = format!(
        "mkfifo ../tmp/port; python3 ../agents/model.py >../tmp/port & model=$!
        read -r port <../tmp/port
        ANTHROPIC_BASE_URL=http://127.0.0.1:$port ANTHROPIC_API_KEY=x IS_SANDBOX=1 \
            git orch task '{text}' --session backend -q -- sh -c 'echo x >x.txt
            exec claude -p --output-format stream-json --verbose --permission-mode bypassPermissions \
            --strict-mcp-config --mcp-config {at}/orch.json --settings {at}/hooks.json'
        code=$?; kill $model; cat ../seen; exit $code"
    );
    // What it keeps in its home is its own.
    repo.shell(&script).env("PATH", with_agents()).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
        review/use-the-tool-mcp-orch-report-with-state
          reports    working, <time> ago
          reports    input, <time> ago: which tone?
          reports    done, <time> ago
        ",
    );
}
