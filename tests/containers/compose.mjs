// Holds each Compose file (arguments) against the schema of the Compose specification, which Compose v2 reads (npm: dclint
// carries it). Prints what is wrong; exit status 0 if nothing is.
import {createRequire} from 'node:module';
import {readFileSync} from 'node:fs';
const require = createRequire(process.cwd() + '/');
const yaml = require('js-yaml'), Ajv = require('ajv');
const schema = JSON.parse(readFileSync('node_modules/dclint/schemas/compose.schema.json', 'utf8'));
delete schema.$schema; // draft-07, which is ajv's own, under another address
const validate = new Ajv({allErrors: true, strict: false, validateFormats: false}).compile(schema);
let wrong = 0;
for (const file of process.argv.slice(2)) {
    if (validate(yaml.load(readFileSync(file, 'utf8')))) continue;
    for (const fault of validate.errors)
        console.log(`${file}: ${fault.instancePath} ${fault.message} ${JSON.stringify(fault.params)}`);
    wrong++;
}
console.log(`${process.argv.length - 2} files, ${wrong} wrong`);
process.exit(wrong || process.argv.length === 2 ? 1 : 0);
