#if Serve
    /// How the page looks: what is wrong has a colour, and nothing else.
    enum PageStyle {
        static let text: StaticString = """
            :root{color-scheme:light dark;--back:#fff;--front:#1c2128;--dim:#667080;--line:#dde2e8;--panel:#f6f8fa;--link:#0b5cad;
            --bad:#b42318;--badback:#fdecea;--warn:#8a5a00;--warnback:#fff4d6;--good:#1a7f37;--spark:#5b7fa6}
            @media(prefers-color-scheme:dark){:root{--back:#0e1116;--front:#e3e7ec;--dim:#8f99a6;--line:#2a313b;--panel:#161b22;
            --link:#6cb0ff;--bad:#ff7b72;--badback:#3a1716;--warn:#e3b341;--warnback:#33280c;--good:#56d364;--spark:#79a0cc}}
            *{box-sizing:border-box}[hidden]{display:none!important}
            body{margin:0;background:var(--back);color:var(--front);font:15px/1.45 system-ui,sans-serif}
            a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
            header,main,footer{max-width:1500px;margin:0 auto;padding:0 16px}
            header{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 16px;padding-top:10px}
            h1{font-size:19px;margin:0}h2{font-size:15px;margin:0 0 6px;display:flex;gap:10px;align-items:baseline;flex-wrap:wrap}
            h2 small,.note{font-size:13px;font-weight:400;color:var(--dim)}h3{font-size:15px;margin:0}
            #live{margin:0;font-size:13px;color:var(--dim)}#live.good:before{content:"● ";color:var(--good)}
            #live.bad{color:var(--bad);font-weight:600}#live.bad:before{content:"● "}
            body.stale main{opacity:.45}
            main{display:grid;grid-template-columns:minmax(0,1fr);gap:18px;margin-top:10px}
            section{min-width:0}#findings:empty{display:none}.scroll{overflow-x:auto}
            #verdict{margin:0;padding:8px 12px;border-radius:6px;border-left:5px solid var(--line);background:var(--panel);font-weight:600}
            #verdict.bad{border-color:var(--bad);background:var(--badback);color:var(--bad)}
            #verdict.warn{border-color:var(--warn);background:var(--warnback);color:var(--warn)}
            #verdict.good{border-color:var(--good);color:var(--good)}
            #now{margin:8px 0 0;padding:0;list-style:none}#now li{padding:3px 12px;border-left:5px solid var(--warn)}
            article{margin-bottom:8px;padding:8px 12px;border-left:5px solid var(--bad);background:var(--panel);border-radius:0 6px 6px 0}
            article h3{color:var(--bad)}article p,article ul{margin:4px 0}article ul{padding-left:18px}
            article .meaning,article .price{color:var(--dim);font-size:14px}
            code{font:13px/1.5 ui-monospace,monospace;background:var(--back);border:1px solid var(--line);border-radius:4px;
            padding:1px 6px;user-select:all;overflow-wrap:anywhere;white-space:pre-wrap;display:inline-block;margin:2px 0}
            .evidence span{display:inline-block;margin-right:14px;font-size:14px}
            table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
            caption{text-align:left;font-weight:600;padding:6px 0 2px}
            th{text-align:left;font-size:13px;font-weight:500;color:var(--dim);padding:2px 12px 2px 0;white-space:nowrap}
            td{padding:2px 12px 2px 0;border-top:1px solid var(--line);white-space:nowrap;vertical-align:middle}
            td.n,th.n{text-align:right}tr.none td,tr.none a{color:var(--dim)}tr.warn td,tr.warn a{color:var(--bad);font-weight:600}
            td.m{font:13px/1.5 ui-monospace,monospace}
            td b{font-weight:600}td.up{color:var(--warn)}
            td.chart svg{display:block;width:100%;min-width:80px;height:20px}td.chart{width:45%}svg polyline{fill:none;stroke:var(--spark);stroke-width:1.5}
            tr.warn svg polyline{stroke:var(--bad)}
            form{display:flex;gap:8px;flex-wrap:wrap;margin-bottom:6px}
            label{display:contents}input{flex:1 1 260px;min-width:0;font:14px ui-monospace,monospace}
            input,button,select{padding:5px 9px;border:1px solid var(--line);border-radius:5px;background:var(--panel);color:inherit}
            button,select{font:inherit;font-size:13px;cursor:pointer}input:focus-visible,button:focus-visible{outline:2px solid var(--link)}
            #error{margin:0 0 6px;padding:6px 10px;border-left:5px solid var(--bad);background:var(--badback);color:var(--bad)}
            #error p,pre{margin:0}pre{font:14px/1.3 ui-monospace,monospace;overflow-x:auto;padding-top:4px}
            #found .scroll{max-height:420px;overflow-y:auto}#found thead th,#transitions thead th{position:sticky;top:0;background:var(--back)}
            footer{padding-top:14px;padding-bottom:20px;font-size:13px;color:var(--dim)}footer a{margin-right:12px}
            @media(max-width:1399px){.extra{display:none}}
            @media(min-width:960px){main.live{grid-template-columns:minmax(0,11fr) minmax(0,9fr);grid-template-rows:auto auto auto 1fr;
            column-gap:28px;align-items:start}
            main.live>*{grid-column:2}main.live #top,main.live #search,main.live #transitions{grid-column:1/-1}
            main.live #findings,main.live.calm #states{grid-column:1;grid-row:2/span 3}}
            @media(max-width:600px){header,main,footer{padding-left:10px;padding-right:10px}.wide{display:none}
            th,td{padding-right:9px}td.chart svg{width:80px}td.m,#transitions td,#found td{font-size:12px}}
            """
    }
#endif
