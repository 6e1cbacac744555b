// The independent side of tests/flow/officecrypto: opens what we encrypted, and encrypts what we are to open.
//   node officecrypto.js open PASSWORD FILE          the first sheet as JSON rows on standard output
//   node officecrypto.js make PASSWORD FILE ROWS     FILE becomes an encrypted workbook of ROWS (JSON)
"use strict";
const fs = require("fs");
const crypto = require("officecrypto-tool");
const xlsx = require("xlsx");

async function open(password, file) {
  const book = xlsx.read(await crypto.decrypt(fs.readFileSync(file), { password }), { type: "buffer" });
  const rows = xlsx.utils.sheet_to_json(book.Sheets[book.SheetNames[0]], { header: 1, defval: "", raw: true });
  process.stdout.write(JSON.stringify({ sheet: book.SheetNames[0], rows }));
}

function make(password, file, rows) {
  const book = xlsx.utils.book_new();
  xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet(JSON.parse(rows)), "籍簿");
  const plain = xlsx.write(book, { type: "buffer", bookType: "xlsx", bookSST: true });
  fs.writeFileSync(file, crypto.encrypt(plain, { password }));
}

const [act, password, file, rows] = process.argv.slice(2);
Promise.resolve(act === "open" ? open(password, file) : make(password, file, rows)).catch((fault) => {
  process.stderr.write(`${fault.message}\n`);
  process.exit(1);
});
