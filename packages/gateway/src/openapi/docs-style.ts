/** The style of the page of documentation, for light and dark, phones and large screens. */
export const docsStyle = `:root{color-scheme:light dark;
--ground:light-dark(#f4f5f8,#0f1116);--surface:light-dark(#fff,#171a21);--text:light-dark(#171a21,#e8ebf2);--muted:light-dark(#586072,#9ea7b8);
--line:light-dark(#dfe3ea,#2a303c);--soft:light-dark(#f1f3f7,#1d212a);--accent:light-dark(#3451c7,#91a7ff);
--get:light-dark(#2f4ac0,#91a7ff);--post:light-dark(#12703f,#6fd6a0);--put:light-dark(#845400,#f0c063);--delete:light-dark(#b42323,#ff9494)}
*{box-sizing:border-box}
body{margin:0;font:16px/1.5 system-ui,sans-serif;background:var(--ground);color:var(--text)}
main{max-width:980px;margin:0 auto;padding:32px 16px 64px}
h1{margin:0;font-size:1.9rem;line-height:1.2;display:flex;flex-wrap:wrap;gap:.2em .5em;align-items:center}
h2{margin:40px 0 4px;font-size:1.25rem}
h2 small{display:block;font:.8rem ui-monospace,monospace;color:var(--muted)}
h3{margin:20px 0 6px;font-size:.78rem;letter-spacing:.05em;text-transform:uppercase;color:var(--muted)}
p{margin:8px 0}
h1,h2,p,summary,td{overflow-wrap:anywhere}
a{color:var(--accent);text-underline-offset:2px}
code{font:.9em ui-monospace,monospace}
em{font-style:normal;font-size:.78rem;color:var(--muted);white-space:nowrap}
.chip{display:inline-block;padding:0 8px;border:1px solid var(--line);border-radius:99px;font-size:.78rem;font-weight:500;line-height:1.6;color:var(--muted);background:var(--surface)}
nav{display:flex;flex-wrap:wrap;gap:4px 16px;margin:12px 0}
details{border:1px solid var(--line);border-radius:10px;margin:8px 0;background:var(--surface)}
summary{cursor:pointer;list-style:none;display:grid;grid-template-columns:5.2rem minmax(0,1fr) auto;gap:2px 12px;align-items:center;padding:10px 14px;border-radius:10px}
summary::-webkit-details-marker{display:none}
summary::after{content:"";width:8px;height:8px;margin-right:4px;border:solid var(--muted);border-width:0 2px 2px 0;transform:rotate(45deg);grid-column:3;grid-row:1}
details[open]>summary::after{transform:rotate(225deg)}
summary:hover{background:var(--soft)}
summary:focus-visible{outline:2px solid var(--accent);outline-offset:-2px}
summary>b{font:700 .75rem/1.9 ui-monospace,monospace;text-align:center;border-radius:6px;color:var(--get);border:1px solid currentColor}
summary>b.post{color:var(--post)}
summary>b.put,summary>b.patch{color:var(--put)}
summary>b.delete{color:var(--delete)}
summary>span{grid-column:2;color:var(--muted);font-size:.9rem}
summary.schema{grid-template-columns:minmax(0,1fr) auto}
summary.schema::after{grid-column:2}
.inside{padding:0 14px 14px;border-top:1px solid var(--line)}
table{border-collapse:collapse;width:100%}
td{border-top:1px solid var(--line);padding:6px 12px 6px 0;vertical-align:top}
tr:first-child td{border-top:0}
td:first-child{width:15rem}
td p{margin:2px 0 0;color:var(--muted);font-size:.9rem}
@media(max-width:600px){main{padding-top:20px}h1{font-size:1.5rem}
summary{grid-template-columns:4.4rem minmax(0,1fr) auto;padding:10px}
.inside{padding:0 10px 10px}tr{display:block;border-top:1px solid var(--line);padding:6px 0}tr:first-child{border-top:0}
td,td:first-child{display:block;width:auto;border:0;padding:0}}`;
