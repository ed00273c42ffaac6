"""People use the dashboard: they filter, open, group, log in, and see text as text."""

import threading

import pytest
import traffic
from conftest import KEYS, OPERATED, write_keys
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

PAGES = ["", "/requests", "/metrics?from=1h&group_by=metadata.customer-id", "/rollouts", "/rules", "/queue", "/audit"]


@pytest.fixture(scope="module")
def project(gateway):
    """The path of the default project's pages."""
    answer = gateway.request("GET", "/dashboard")
    assert answer.status == 303
    return answer.headers["location"]


def test_requests_are_filtered_by_metadata(browser, gateway, project):
    browser.open(f"{gateway.url}{project}/requests")
    assert len(browser.all("tbody tr")) == 50
    name, value = browser.find(".adder input[name=name]"), browser.find(".adder input[name=value]")
    assert "metadata.customer-id" in [option.get_attribute("value") for option in browser.all("#filter-names option")]
    name.send_keys("metadata.customer-id", Keys.TAB)
    browser.until(lambda: "acme" in [option.get_attribute("value") for option in browser.all("#filter-values option")])
    value.send_keys("acme", Keys.ENTER)
    browser.until(lambda: "customer-id=acme" in browser.path)
    assert browser.path.startswith(f"{project}/requests?metadata.customer-id=acme")
    rows = browser.all("tbody tr")
    assert rows and all("acme" in row.text for row in rows)
    # A second one, and the first taken away again.
    browser.find(".adder input[name=name]").send_keys("environment")
    browser.find(".adder input[name=value]").send_keys("staging", Keys.ENTER)
    browser.until(lambda: "metadata.environment=staging" in browser.path)
    assert all("acme" in row.text and "staging" in row.text for row in browser.all("tbody tr"))
    browser.find(".chip a").click()
    browser.until(lambda: "customer-id" not in browser.path)
    assert "metadata.environment=staging" in browser.path


def test_only_what_a_filter_names_is_suggested(browser, gateway, project):
    browser.open(f"{gateway.url}{project}/requests")
    values = lambda: [option.get_attribute("value") for option in browser.all("#filter-values option")]  # noqa: E731
    for name, wanted in [("status", "5xx"), ("user", None), ("customer-id", "acme"), ("constructor", None),
                         ("metadata.customer-id", "acme"), ("__proto__", None), ("outcome", "failed"), ("toString", None)]:
        field = browser.find(".adder input[name=name]")
        field.clear()
        field.send_keys(name, Keys.TAB)
        browser.until(lambda wanted=wanted: wanted in values() if wanted else not values())
    assert not [text for text in browser.complaints() if "TypeError" in text]


def test_a_changed_field_is_left_alone(browser, gateway, project):
    browser.open(f"{gateway.url}{project}/rules")
    changes = {"textarea": "field.value = 'a=b'", "input[name=model]": "field.value = 'm'"}
    for selector, change in changes.items():
        busy = f"const field = document.querySelector('{selector}'); {change}; return isBusy()"
        assert not browser.driver.execute_script("document.activeElement.blur(); return isBusy()")
        assert browser.driver.execute_script(busy)
        browser.driver.execute_script(f"const field = document.querySelector('{selector}'); field.value = field.defaultValue")
    browser.open(f"{gateway.url}{project}/rollouts")
    assert not browser.driver.execute_script("document.activeElement.blur(); return isBusy()")
    assert browser.driver.execute_script("document.querySelector('select').selectedIndex = 2; return isBusy()")


def test_filters_keep_their_bytes(browser, gateway, project):
    filtered = f"{project}/requests?metadata.a=x%0Ay%01"
    browser.open(gateway.url + filtered)
    browser.find("button.primary").click()
    browser.until(lambda: browser.path == filtered)
    browser.find(".adder input[name=name]").send_keys("customer-id")
    browser.find(".adder input[name=value]").send_keys("acme", Keys.ENTER)
    browser.until(lambda: browser.path == filtered + "&metadata.customer-id=acme")


def test_a_bar_is_reached_by_keyboard(browser, gateway, project):
    browser.open(f"{gateway.url}{project}/metrics?from=1h")
    bar = browser.find(".chart svg a")
    assert "UTC" in bar.accessible_name
    browser.driver.execute_script("arguments[0].focus()", bar)
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    browser.until(lambda: "/requests?from=" in browser.path and "&to=" in browser.path)


def test_a_wrong_filter_is_explained_where_it_stands(browser, gateway, project):
    browser.open(f"{gateway.url}{project}/requests?latency=3")
    assert "has no such operator" in browser.find("[role=alert]").text
    browser.find(".chip a").click()
    browser.until(lambda: browser.all("tbody tr"))


def test_pages_go_on_to_older_requests(browser, gateway, project):
    browser.open(f"{gateway.url}{project}/requests")
    first = [link.get_attribute("href") for link in browser.all("tbody a.main")]
    browser.link("Older →").click()
    browser.until(lambda: "cursor=" in browser.path)
    older = [link.get_attribute("href") for link in browser.all("tbody a.main")]
    assert older and not set(first) & set(older)


def test_a_completion_is_opened(browser, gateway, project):
    [row] = gateway.request("GET", "/v1/logs/requests?rollout=nightly-0&outcome=succeeded&limit=1").json["data"]
    browser.open(f"{gateway.url}{project}/requests?rollout=nightly-0&outcome=succeeded")
    browser.find("tbody a.main").send_keys(Keys.ENTER)
    browser.until(lambda: browser.path == f"{project}/requests/{row['insertion_id']}")
    text = browser.text
    for part in ["Queue", "Attempt 1", "customer-id", "header", "Hello!", "Latency"]:
        assert part in text, part
    roles = [message.text.split()[0] for message in browser.all(".message h3")]
    assert roles == ["user", "assistant"]
    for summary in browser.all("main > details > summary"):
        summary.click()
    curl = browser.find("#curl").text
    assert "$GATEWAY_API_KEY" in curl and "client-key" not in curl and '"content": "Hello!"' in curl
    assert '"insertion_id"' in browser.find("#json").text


def test_a_chart_is_grouped_by_a_metadata_key(browser, gateway, project):
    browser.open(f"{gateway.url}{project}/metrics?from=1h")
    field = browser.find("input[name=group_by]")
    field.send_keys("customer-id", Keys.ENTER)
    browser.until(lambda: "group_by=metadata.customer-id" in browser.path)
    groups = [link.text for link in browser.all("tbody td:first-child a")]
    assert {"acme", "globex"} <= set(groups)
    totals = {row.find_element(By.CSS_SELECTOR, "td").text: row.find_elements(By.CSS_SELECTOR, "td")[1].text for row in browser.all("tbody tr")}
    answer = gateway.request("GET", "/v1/metrics/query?from=1h&group_by=metadata.customer-id").json
    told = {group["group"]["metadata.customer-id"]: group["total"]["requests"] for group in answer["groups"]}
    assert int(totals["acme"]) == told["acme"]
    # A bar, and a group, lead to their rows.
    target = browser.driver.execute_script("return arguments[0].href.baseVal", browser.find(".chart svg a"))
    assert "/requests?from=" in target and "&to=" in target
    browser.link("acme").click()
    browser.until(lambda: "/requests?" in browser.path and "metadata.customer-id=acme" in browser.path)
    assert len(browser.all("tbody tr")) == min(told["acme"], 50)


def test_a_rollouts_bar_fills_while_its_calls_run(browser, gateway, project, provider, eventually):
    held = traffic.HeldCall(gateway, provider, rollout="running", row=3)
    for row in [1, 2]:
        traffic.call(gateway, rollout="running", row=row)
    found = lambda: gateway.request("GET", "/rollouts/running").json  # noqa: E731
    eventually(lambda: (found()["traced"], found()["in_flight"]) == (2, 1))
    # Where each completion is, in their order.
    browser.open(f"{gateway.url}{project}/rollouts/running")
    browser.until(lambda: [cell.text for cell in browser.all(".open tbody td:nth-child(3)")] == ["in flight"])
    browser.open(f"{gateway.url}{project}/rollouts")
    bar = "//tr[.//bdi[text()='running']]//*[name()='svg']"
    label = lambda: browser.driver.find_element(By.XPATH, bar).get_attribute("aria-label")  # noqa: E731
    browser.until(lambda: "1 in flight" in label())
    held.release()
    browser.until(lambda: label() == "3 traced")
    # Nothing but the page's event stream has brought that.
    asked = [url for url in browser.fetched() if url.endswith("/rollouts")]
    assert asked == [f"{gateway.url}{project}/rollouts"] * 2
    # A rollout is found by what it begins with.
    browser.find("input[name=value]").send_keys("runn", Keys.ENTER)
    browser.until(lambda: browser.path.endswith("/rollouts?prefix=runn"))
    assert [link.text for link in browser.all("tbody a.main")] == ["running"]
    browser.link("running").click()
    browser.until(lambda: "complete" in browser.find(".verdict").text)
    browser.until(lambda: len(browser.all("tbody tr")) == 3)


def test_a_call_in_flight_is_seen_in_the_queue(browser, gateway, project, provider):
    held = traffic.HeldCall(gateway, provider, rollout="queued")
    browser.open(f"{gateway.url}{project}/queue")
    cells = lambda: [cell.text for cell in browser.all("tbody tr:first-child > *")][:7]  # noqa: E731
    browser.until(lambda: cells()[0] == "Completions" and cells()[5] == "1")
    assert "alive" in browser.text
    browser.open(gateway.url + project)
    tile = lambda name: next(tile.text for tile in browser.all(".tiles.now a") if name in tile.text)  # noqa: E731
    browser.until(lambda: "1" in tile("In flight").split())
    held.release()
    browser.until(lambda: "0" in tile("In flight").split())
    browser.until(lambda: "takes traces" in tile("Trace store"))


@pytest.mark.parametrize("name", traffic.HOSTILE)
def test_hostile_text_is_text(browser, gateway, project, name):
    text = traffic.HOSTILE[name]
    [row] = gateway.request("GET", f"/v1/logs/requests?rollout=hostile&row={name}").json["data"]
    browser.open(f"{gateway.url}{project}/requests?rollout=hostile")
    assert any(text in (tag.get_attribute("textContent") or "") for tag in browser.all(".tag"))
    browser.open(f"{gateway.url}{project}/requests/{row['insertion_id']}")
    assert [block.get_attribute("textContent") for block in browser.all(".message .text")] == [text, text * 20, text * 20]
    assert text in [value.get_attribute("textContent") for value in browser.all(".facts td a")]
    assert not browser.overflows()
    browser.open(f"{gateway.url}{project}/metrics?rollout=hostile&from=1h&group_by=metadata.customer-id")
    assert text in [link.get_attribute("textContent") for link in browser.all("tbody td:first-child a")]
    assert "owned" not in browser.driver.title and not browser.all("img, b")


def test_each_page_works_without_scripts(start_browser, gateway, project):
    browser = start_browser(has_scripts=False)
    for page in PAGES:
        browser.open(gateway.url + project + page)
        # The queue's page links to nothing while there is no dead letter.
        assert browser.find("h1").text and browser.find("main :is(a, table)")
    browser.open(f"{gateway.url}{project}/requests")
    browser.find(".adder input[name=name]").send_keys("customer-id")
    browser.find(".adder input[name=value]").send_keys("acme", Keys.ENTER)
    browser.until(lambda: "metadata.customer-id=acme" in browser.path)


def test_the_keyboard_reaches_everything(browser, gateway, project):
    browser.open(f"{gateway.url}{project}/requests")
    seen = []
    for _ in range(17):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        active = browser.driver.switch_to.active_element
        seen.append(active.get_attribute("name") or active.text)
    assert seen[0] == "Skip to the content"
    sections = ["Overview", "Rollouts", "Requests", "Metrics", "Rules", "Queue", "Audit"]
    for name in sections + ["name", "operator", "value", "range", "Apply"]:
        assert name in seen, seen
    # Each control has a name that is read out.
    for control in browser.all("input:not([type=hidden]), select, button"):
        assert control.accessible_name, control.get_attribute("outerHTML")


def log_in(browser, gateway, key):
    browser.find("#key").send_keys(key, Keys.ENTER)
    browser.until(lambda: "/dashboard/projects/" in browser.path)


def test_each_key_sees_its_own_project(start_browser, keyed_gateway):
    for name, other in [("alpha", "beta"), ("beta", "alpha")]:
        browser = start_browser()
        browser.open(f"{keyed_gateway.url}/dashboard/projects/{name}/requests")
        assert browser.path.startswith("/dashboard/login?next=")
        browser.find("#key").send_keys("sk-wrong", Keys.ENTER)
        browser.until(lambda browser=browser: "not a key of this gateway" in browser.text)
        log_in(browser, keyed_gateway, KEYS[name])
        assert browser.path == f"/dashboard/projects/{name}/requests"
        assert f"owner-{name}" in browser.text and other not in browser.driver.page_source
        cookie = browser.driver.get_cookie("gateway_dashboard")
        assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and cookie["path"] == "/dashboard"
        assert KEYS[name] not in cookie["value"]
        for page in PAGES:
            browser.open(f"{keyed_gateway.url}/dashboard/projects/{other}{page}")
            assert "not known, or this key may not use it" in browser.text and f"owner-{other}" not in browser.driver.page_source
        browser.open(f"{keyed_gateway.url}/dashboard")
        browser.find("form[action='/dashboard/logout'] button").click()
        browser.until(lambda browser=browser: browser.path == "/dashboard/login")
        browser.open(f"{keyed_gateway.url}/dashboard/projects/{name}")
        assert browser.path.startswith("/dashboard/login")


def test_a_key_that_is_taken_away_ends_its_session(browser, keyed_gateway, eventually):
    browser.open(f"{keyed_gateway.url}/dashboard/login")
    log_in(browser, keyed_gateway, KEYS["alpha"])
    write_keys(keyed_gateway.keys_file, {"beta": KEYS["beta"]})
    try:
        def is_out():
            browser.driver.refresh()
            return browser.path.startswith("/dashboard/login")

        browser.until(is_out)
    finally:
        write_keys(keyed_gateway.keys_file, KEYS)
        # The gateway looks at the file now and then; the tests that follow find the key in force again.
        eventually(lambda: keyed_gateway.request("GET", "/project_id/alpha/rollouts", key=KEYS["alpha"]).status == 200)


def test_a_link_of_another_site_opens_the_page(browser, keyed_gateway):
    browser.open(f"{keyed_gateway.url}/dashboard/login")
    log_in(browser, keyed_gateway, KEYS["alpha"])
    wanted = "/dashboard/projects/alpha/requests?status=5xx"
    # Another site: its page has no address of the gateway's.
    browser.open(f"data:text/html,<a href='{keyed_gateway.url}{wanted}'>link</a>")
    browser.link("link").click()
    browser.until(lambda: browser.path == wanted and "Requests" in browser.driver.title)


def test_a_request_is_explained(start_browser, ruled_gateway, eventually):
    gateway = ruled_gateway
    traffic.call(gateway, rollout="ruled", metadata={"team": "search"}, key=OPERATED["alpha"])
    second = traffic.call(gateway, rollout="ruled", metadata={"team": "search"}, key=OPERATED["alpha"])
    assert second.status == 429
    eventually(lambda: traffic.settled(gateway, 2, key=OPERATED["alpha"]))
    operator, client = start_browser(), start_browser(has_scripts=False)
    for browser, key in [(operator, "admin"), (client, "alpha")]:
        browser.open(f"{gateway.url}/dashboard/projects/alpha/rules?from=1h")
        log_in(browser, gateway, OPERATED[key])
        cells = [cell.text for cell in browser.all("tbody tr:first-child td")]
        assert cells[:3] == ["once-a-day", "2", "1"], cells
        browser.find("input[name=model]").send_keys("mock/echo")
        browser.find("textarea").send_keys("team=search")
        browser.find(".explain button").click()
        browser.until(lambda browser=browser: "metadata=team" in browser.path)
        assert "team" in browser.find("textarea").get_attribute("value")
        assert "1 requests per day; used: 1" in browser.text
    # Whose rules they are is the operator's to see.
    assert "rules.yaml:3" in operator.text and "refused: 429 rate_limit_exceeded" in operator.text
    assert "rules.yaml" not in client.text and "shown with an admin key" in client.text
    operator.shoot("explained")


def rows_of(gateway, query):
    return gateway.request("GET", f"/v1/logs/requests?{query}", key=OPERATED["alpha"]).json["data"]


@pytest.mark.parametrize("has_scripts", [True, False])
def test_the_operator_requeues_and_deletes_dead_letters(start_browser, operated_gateway, eventually, has_scripts):
    gateway, queue = operated_gateway, "/dashboard/projects/alpha/queue"
    hostile = traffic.HOSTILE["script"]
    first, second = [
        traffic.bury(gateway, eventually, hostile, rollout="lost", row=row, key=OPERATED["alpha"]) for row in (1, 2)]
    client = start_browser(has_scripts=has_scripts)
    client.open(gateway.url + queue)
    log_in(client, gateway, OPERATED["alpha"])
    assert hostile in client.text and first in client.text
    assert not client.all("main form"), "a client only looks"
    operator = start_browser(has_scripts=has_scripts)
    operator.open(gateway.url + queue)
    log_in(operator, gateway, OPERATED["admin"])
    row = lambda id: operator.driver.find_element(By.XPATH, f"//tr[.//a[text()='{id}']]")  # noqa: E731
    press = lambda id, button: operator.until(lambda: row(id).find_element(By.XPATH, button).click() or True)  # noqa: E731
    press(first, ".//button[text()='Requeue']")
    operator.until(lambda: "done=requeued" in operator.path)
    new = operator.find("[role=status] a").text
    assert new != first and first not in [link.text for link in operator.all(".letters a")]
    eventually(lambda: rows_of(gateway, f"metadata.requeued_from={first}"))
    [made] = rows_of(gateway, f"metadata.requeued_from={first}")
    assert made["insertion_id"] == new and made["outcome"] == "succeeded" and made["rollout_id"] == "lost"
    # The form was sent once. To go back and send it again does nothing more.
    operator.driver.refresh()
    operator.find("h1")
    assert len(rows_of(gateway, f"metadata.requeued_from={first}")) == 1
    press(second, ".//summary[text()='Delete…']")
    operator.shoot(f"letters-{'with' if has_scripts else 'without'}-scripts")
    press(second, ".//button[text()='Delete for good']")
    operator.until(lambda: "done=deleted" in operator.path)
    assert second not in operator.text
    kinds = lambda: [row["kind"] for row in audit(gateway, f"subject[in]={first},{second}")]  # noqa: E731
    eventually(lambda: len(kinds()) == 2)
    assert sorted(kinds()) == ["dead_letter.deleted", "dead_letter.requeued"]
    # Both are read on the page of audit rows, filtered by a form.
    operator.link("Audit").click()
    operator.find("select[name=kind] option[value='dead_letter.requeued']").click()
    operator.find("input[name=subject]").send_keys(first, Keys.ENTER)
    operator.until(lambda: operator.path.endswith(f"/audit?kind=dead_letter.requeued&subject={first}"))
    [line] = operator.all("tbody tr")
    assert first in line.text and f"queued_as {new}" in line.text and "team-admin" in line.text
    operator.shoot(f"audit-{'with' if has_scripts else 'without'}-scripts")


def audit(gateway, query):
    return gateway.request("GET", f"/v1/logs/audit?{query}", key=OPERATED["admin"]).json["data"]


@pytest.mark.parametrize("look", ["light", "dark", "narrow"])
def test_pages_fit_and_are_kept_as_pictures(start_browser, gateway, project, look):
    """The pictures are for people; what is checked is that no page is wider than its window."""
    browser = start_browser(**{"light": {}, "dark": {"is_dark": True}, "narrow": {"width": 400, "height": 800}}[look])
    [row] = gateway.request("GET", "/v1/logs/requests?rollout=nightly-0&outcome=succeeded&limit=1").json["data"]
    named = {"overview": "", "requests": "/requests?from=1h", "rollouts": "/rollouts", "rollout": "/rollouts/nightly-1",
             "metrics": "/metrics?from=15m&group_by=metadata.customer-id", "request": f"/requests/{row['insertion_id']}",
             "hostile": "/requests?rollout=hostile", "queue": "/queue",
             "rules": "/rules?model=mock/echo&metadata=customer-id%3Dacme"}
    for name, page in named.items():
        browser.open(gateway.url + project + page)
        assert not browser.overflows(), name
        assert browser.accessibility_problems() == {}, name
        browser.shoot(f"{name}-{look}")
