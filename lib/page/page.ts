/** One HTML file that holds everything it needs, and may load nothing: its program, its style, its data. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { PageData } from './data.js';

/** This file is lib/page/page.ts, or in dist/bundle/; what is built lies in dist/page/. */
const FOLDERS = ['../page/', '../../dist/page/'].map((path) => new URL(path, import.meta.url));

export async function pageHtml(data: PageData): Promise<string> {
  const [script, style] = await Promise.all(['app.js', 'style.css'].map(asset));
  // A script ends at the first end tag, whatever stands around it.
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script!)}'`,
    `style-src '${hashOf(style!)}'`,
    // The icon that browsers would ask for otherwise.
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(data.title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header><h1>${escapeHtml(data.title)}</h1><p>${escapeHtml(data.subtitle)}</p></header>
<nav aria-label="Sections"></nav>
<main></main>
<noscript>This page needs JavaScript; the same is printed by the command, and by it with --json.</noscript>
<script type="application/json" id="data">${json}</script>
<script type="module">${script}</script>
</body>
</html>
`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

async function asset(name: string): Promise<string> {
  const found = FOLDERS.map((folder) => new URL(name, folder)).find((url) => existsSync(url));
  if (found === undefined) throw new Error(`The page's ${name} is not built: npm run build.`);
  return readFile(found, 'utf8');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
