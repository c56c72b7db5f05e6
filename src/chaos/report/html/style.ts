/** How the page looks: one sheet inside it, for bright and dark screens and for paper. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2733; --soft: #5d6b7a; --line: #d9e0e7; --ground: #f6f8fa; --card: #ffffff;
  --good: #1a7f4b; --bad: #c0322b; --warn: #a86400; --good-ground: #e3f4ea; --bad-ground: #fbe6e4; --warn-ground: #fbf0d9;
  --fault: #c0322b; --recovery: #d99a1e; --admitted: #3c9d6b; --refused: #98a4b1; --plot: #2b6cb0; --halted: #c9483f; --reducing: #dfa63a;
  --active: #4aa877; --alive: #8fb4da; --stopped: #8a63b8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4eaf0; --soft: #9aa8b6; --line: #313d49; --ground: #12181f; --card: #1a222b;
  --good: #5fcf95; --bad: #ff8a80; --warn: #f0bd62; --good-ground: #16342a; --bad-ground: #40211f; --warn-ground: #3a2f17;
  --refused: #66727f; --plot: #79b1ee; --alive: #47698c; --stopped: #a685d1; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 26px; margin: 0 0 2px; } h2 { font-size: 19px; margin: 0; } h3 { font-size: 14px; margin: 18px 0 6px; color: var(--soft); }
p { margin: 6px 0; } .soft { color: var(--soft); } code { font: 13px/1.4 ui-monospace, SFMono-Regular, Menlo, monospace; }
.figures { display: flex; flex-wrap: wrap; gap: 12px; margin: 18px 0; }
.figure { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 16px; min-width: 150px; flex: 1; }
.figure b { display: block; font-size: 22px; line-height: 1.3; } .figure span { color: var(--soft); font-size: 13px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px; margin: 18px 0; break-inside: avoid-page; }
.card > header { display: flex; gap: 12px; align-items: baseline; flex-wrap: wrap; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 7px 10px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; font-size: 12.5px; white-space: nowrap; } tr:last-child > td { border-bottom: 0; } td.tight { white-space: nowrap; } td.number, th.number { text-align: right; white-space: nowrap; }
.pill { display: inline-block; border-radius: 999px; padding: 1px 10px; font-size: 12.5px; font-weight: 600; white-space: nowrap; }
.good { color: var(--good); background: var(--good-ground); } .bad { color: var(--bad); background: var(--bad-ground); } .warn { color: var(--warn); background: var(--warn-ground); }
.first { border-left: 4px solid var(--bad); background: var(--bad-ground); border-radius: 6px; padding: 10px 14px; margin: 12px 0; }
.first ol { margin: 4px 0 0; padding-left: 20px; } .first small { color: var(--soft); display: block; font-size: 13px; }
.dose { min-width: 190px; } .dose small { color: var(--soft); display: block; line-height: 1.35; } .bar { height: 5px; border-radius: 3px; background: var(--line); margin: 3px 0 2px; overflow: hidden; } .bar i { display: block; height: 100%; background: var(--good); } .bar i.short { background: var(--bad); }
details { margin-top: 10px; } summary { cursor: pointer; color: var(--soft); font-size: 14px; } a { color: inherit; }
svg { display: block; width: 100%; height: auto; margin-top: 10px; } svg text { font: 11px system-ui, "Segoe UI", Roboto, sans-serif; fill: var(--soft); } svg text.label { fill: var(--ink); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; color: var(--soft); font-size: 12.5px; margin-top: 8px; } .legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 5px; vertical-align: -1px; }
@media print { body { background: none; } main { max-width: none; } }
`;
