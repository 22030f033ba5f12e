"""Looks at the page of `tcpstates serve` with a browser, in the network namespace of the server.

    page.py PORT PID FOLDER    the server's port and process, and where the pictures go
"""
import os, signal, socket, sys, time
from playwright.sync_api import sync_playwright

port, server, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
origin = f"http://127.0.0.1:{port}"
# Longer than anything takes.
DEADLINE = 60_000
requests, complaints = [], []

with open("/proc/self/comm", "w") as name:
    name.write("<img src=x>")  # The kernel keeps 15 characters.
leaky = socket.create_server(("127.0.0.1", 7001), backlog=64)
full = socket.create_server(("127.0.0.1", 7002), backlog=1)
kept = []


def leak(count):
    for _ in range(count):
        client = socket.create_connection(leaky.getsockname())
        kept.append(leaky.accept()[0])
        client.close()


def watch(context):
    context.on("request", lambda request: requests.append(request.url))
    page = context.new_page()
    page.set_default_timeout(DEADLINE)
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


def row(page, table, first):
    return page.locator(f"{table} tbody tr").filter(has=page.locator("td:first-child", has_text=first))


with sync_playwright() as engine:
    browser = engine.chromium.launch(
        executable_path="/usr/bin/chromium",
        args=["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"],
    )

    # A leak shows by itself.
    page = watch(browser.new_context(viewport={"width": 1280, "height": 720}))
    page.goto(origin)
    count = row(page, "#state-table", "CLOSE_WAIT").locator("td:nth-child(2)")
    page.wait_for_selector("#live.good")
    assert count.inner_text() == "0", count.inner_text()
    start = time.monotonic()
    leak(7)
    page.wait_for_function("""() => [...document.querySelectorAll("#state-table tr")].some(row =>
        row.cells[0].textContent === "CLOSE_WAIT" && row.cells[1].textContent === "7")""")
    print(f"the page shows a leak after {time.monotonic() - start:.2f} s")
    assert row(page, "#state-table", "CLOSE_WAIT").locator("polyline").get_attribute("points")
    page.wait_for_function('() => document.querySelector("#transition-table").textContent.includes("CLOSE_WAIT")')

    # The filter narrows, and what is wrong with one is told beneath it.
    rows = page.locator("#found tbody tr")
    page.fill("#form input", "state all")
    page.wait_for_selector("#found:not([hidden])")
    everything = rows.count()
    page.fill("#form input", "state close-wait and sport = 7001")
    page.wait_for_function('() => document.querySelectorAll("#found tbody tr").length === 7')
    assert everything > 7, everything
    assert page.evaluate("location.hash").startswith("#filter=state%20close-wait")
    page.fill("#form input", "state is 80")
    page.wait_for_selector("#error:not([hidden])")
    assert page.locator("#error pre").inner_text() == "state is 80\n      ^^", page.locator("#error").inner_text()
    assert not page.locator("#found").is_visible()
    complaints[:] = [text for text in complaints if "400" not in text]
    row(page, "#state-table", "CLOSE_WAIT").locator("a").click()
    page.wait_for_function('() => document.querySelectorAll("#found tbody tr").length === 7')

    # What is wrong comes first, and whatever a process is called is text.
    for _ in range(3):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(full.getsockname())
        kept.append(client)
    page.wait_for_selector("#findings article")
    assert "127.0.0.1:7002" in page.locator("#findings").inner_text()
    assert "<img src=x>" in page.locator("#findings").inner_text(), page.locator("#findings").inner_text()
    assert "<img src=x>" in page.locator("#found").inner_text(), page.locator("#found").inner_text()
    assert page.locator("img").count() == 0
    top = lambda place: page.locator(place).bounding_box()["y"]
    assert top("#verdict") < top("#states") and top("#findings article") <= top("#states") < top("#search")
    assert page.locator("#verdict").get_attribute("class") == "bad"
    assert "127.0.0.1:7002" in page.locator("#listener-table tbody tr.warn").inner_text()
    assert page.title().startswith("(")

    # What is selected is not torn away.
    page.click("#freeze")
    frozen = page.locator("#transition-table").inner_text()
    leak(3)
    page.wait_for_function("""() => [...document.querySelectorAll("#state-table tr")].some(row =>
        row.cells[0].textContent === "CLOSE_WAIT" && row.cells[1].textContent === "10")""")
    assert page.locator("#transition-table").inner_text() == frozen
    page.context.close()

    for scheme in ("light", "dark"):
        for width, height in ((1280, 720), (400, 800)):
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = watch(context)
            page.goto(origin + "/#filter=state%20close-wait")
            page.wait_for_selector("#found:not([hidden])")
            page.wait_for_selector("#findings article")
            page.wait_for_function('() => document.querySelector("#state-table polyline")?.points.length > 1')
            # The page is as wide as the screen; only a table may be wider, and that is moved by itself.
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            back = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (back == "rgb(255, 255, 255)") == (scheme == "light"), back
            page.screenshot(path=f"{folder}/page-{width}x{height}-{scheme}.png")
            context.close()

    # Without a script it is tables.
    page = watch(browser.new_context(java_script_enabled=False))
    page.goto(origin)
    assert row(page, "#state-table", "CLOSE_WAIT").locator("td:nth-child(2)").inner_text() == "10"
    assert "<img src=x>" in page.locator("#findings article").first.inner_text()
    assert page.locator("#transition-table tbody tr").count() > 10
    assert "3 of 1" in page.locator("#listener-table").inner_text() or "2 of 1" in page.locator("#listener-table").inner_text()
    assert not page.locator("#freeze").is_visible()
    page.fill("#form input", "sport = 7001 and state close-wait")
    page.click("#form button")
    assert page.locator("body").inner_text().count('"state":"CLOSE_WAIT"') == 10
    page.context.close()

    # Nothing left the origin; another site's name does not lead here.
    assert requests and all(url.startswith(origin + "/") for url in requests), set(requests)
    page = browser.new_context().new_page()
    assert page.goto(f"http://evil.example:{port}/").status == 403
    page.context.close()

    # What is not true any more is shown as that.
    page = watch(browser.new_context())
    page.goto(origin)
    page.wait_for_selector("#live.good")
    assert complaints == [], complaints
    os.kill(server, signal.SIGTERM)
    page.wait_for_selector("body.stale")
    assert page.locator("#live").inner_text().startswith("no answer")
    browser.close()
print("ok")
