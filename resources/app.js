// The upload form of the start page: sends the text, shows the answer.
"use strict";

const form = document.getElementById("upload-form");
const field = document.getElementById("document");
const answer = document.getElementById("answer");
const buttons = form.querySelectorAll("button");

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function show(kind, title, ...content) {
  const heading = element("p", {}, element("strong", {}, title));
  answer.replaceChildren(element("div", { className: "note " + kind }, heading, ...content));
}

function paragraph(...content) {
  return element("p", {}, ...content);
}

async function showStored(response) {
  const { bytes, durability } = await response.json();
  const address = response.headers.get("Location");
  const place = durability === "fsync" ? "on the disk" : "perhaps not on the disk yet";
  show("good", "201 Created",
    paragraph("Stored as ", element("a", { href: address }, address), "."),
    paragraph(`${bytes} bytes, ${place} (durability “${durability}”).`));
}

// The server counts the offset in bytes of UTF-8, the text field in UTF-16 units.
function fieldIndex(text, offset) {
  const before = new TextEncoder().encode(text).subarray(0, offset);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(before).length;
}

// The line around the fault, at most 40 units on either side, with the fault marked.
function excerpt(text, index) {
  const start = Math.max(text.slice(0, index).lastIndexOf("\n") + 1, index - 40);
  const newline = text.indexOf("\n", index);
  const end = Math.min(newline < 0 ? text.length : newline, index + 40);
  const character = String.fromCodePoint(text.codePointAt(index) ?? 10);
  const fault = index < end ? character : "⏎";
  return element("pre", {}, element("code", {},
    text.slice(start, index), element("mark", {}, fault), text.slice(index + character.length, end)));
}

function mark(index) {
  const isLarge = (field.value.codePointAt(index) ?? 0) > 0xffff;
  const line = field.value.slice(0, index).split("\n").length - 1;
  const lineHeight = parseFloat(getComputedStyle(field).lineHeight);
  field.focus();
  field.setSelectionRange(index, index + (isLarge ? 2 : 1));
  field.scrollTop = Math.max(0, (line - 3) * lineHeight);
}

async function showProblem(response, text) {
  const type = response.headers.get("Content-Type") ?? "";
  const title = `${response.status} ${response.statusText}`.trim();
  if (!type.startsWith("application/problem+json")) {
    show("bad", title, paragraph("The document was not stored."));
    return;
  }
  const problem = await response.json();
  const content = [paragraph(problem.detail ?? "The document was not stored.")];
  if (Number.isInteger(problem.offset)) {
    const index = fieldIndex(text, problem.offset);
    content.push(excerpt(text, index));
    mark(index);
  }
  show("bad", `${problem.status} ${problem.title}`, ...content);
}

async function upload() {
  const text = field.value;
  const response = await fetch("/upload", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json, application/problem+json" },
    body: text,
  });
  await (response.status === 201 ? showStored(response) : showProblem(response, text));
}

async function load(name) {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  field.value = await response.text();
  field.scrollTop = 0;
  answer.replaceChildren();
}

// Runs one action at a time; the buttons rest meanwhile.
async function run(action) {
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  try {
    await action();
  } catch (error) {
    show("bad", "No answer", paragraph(`The server did not answer as expected (${error.message}).`));
  } finally {
    form.ariaBusy = "false";
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  run(upload);
});

for (const button of buttons) {
  button.disabled = false;
  if (button.dataset.load) button.addEventListener("click", () => run(() => load(button.dataset.load)));
}
