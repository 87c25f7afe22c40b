// Checks the queries of conf/sentinel as Azure's own editor does: syntax, names and types. Arguments: the folder of the
// language service, the columns as name:type joined by commas, and files of queries.
const fs = require('fs');
const [, , service, columns, ...files] = process.argv;
require(service + '/bridge.min.js');
require(service + '/Kusto.Language.Bridge.min.js');
const { Kusto } = globalThis;
const symbols = Kusto.Language.Symbols;
const table = symbols.TableSymbol.From(`(${columns})`).WithName('WherobotsAudit_CL');
const parameters = fs.readFileSync(files[0], 'utf8').match(/\w+:(datetime|dynamic|string|bool)=[^,\n]+/g) || [];
const lets = parameters.map(p => p.match(/^(\w+):\w+=(.*)$/)).map(m => `let ${m[1]} = ${m[2]};`).join('\n');
const globals = Kusto.Language.GlobalState.Default.WithDatabase(new symbols.DatabaseSymbol.ctor('db', [table]));
let bad = 0;
for (const file of files) {
  let query = fs.readFileSync(file, 'utf8');
  if (file.endsWith('.kql')) query = lets + '\n' + query;
  const found = Kusto.Language.KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
  for (let i = 0; i < found.Count; i++) {
    const d = found.getItem(i);
    console.log(`${file}: ${d.Severity}: ${d.Message} at ${JSON.stringify(query.substr(d.Start, 40))}`);
    bad++;
  }
}
console.log(`${files.length} queries, ${bad} findings`);
process.exit(bad ? 1 : 0);
