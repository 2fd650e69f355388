/**
 * What the documents point at must be there: relative links in every page, and the test that a promise names.
 * And what is there must be in the documents: the page of a folder names each source file of the folder, and of those
 * below it that have no page of their own. Where files are alike, a pattern names all of them: `plugins/<plugin>.ts`.
 */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const problems: string[] = []
const pages = globSync('**/*.md', { cwd: root, exclude: (name) => name === 'node_modules' || name === 'dist' })

for (const page of pages) {
  const text = readFileSync(join(root, page), 'utf8')
  for (const [, target] of text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)) {
    if (!existsSync(resolve(root, dirname(page), target as string))) problems.push(`${page}: the link ${target} leads nowhere`)
  }
  for (const [, test] of text.matchAll(/`((?:src|test|examples)\/[\w./-]+\.test\.ts)`/g)) {
    if (!existsSync(join(root, test as string))) problems.push(`${page}: there is no test ${test}`)
  }
}

/** The nearest folder at or above this one that has a page. */
function folderWithPage(folder: string): string {
  return existsSync(join(root, folder, 'README.md')) ? folder : folderWithPage(dirname(folder))
}

/** The code in a page: what stands in backticks, and blocks between fences. */
const codeOf = (page: string): string => [...page.matchAll(/^```[\s\S]*?^```|`[^`\n]+`/gm)].map(([span]) => span).join('\n')

/** Whether a page's code names the file, by its name, by the end of its path, or by a pattern. A placeholder that comes twice stands for the same. */
function names(code: string, path: string): boolean {
  const name = path.split('/').at(-1) as string
  const mentioned = [...code.matchAll(/[\w.<>/-]+\.ts\b/g)].map(([mention]) => mention)
  return mentioned.some((mention) => {
    if (!mention.includes('<')) return mention === name || path === mention || path.endsWith(`/${mention}`)
    const seen = new Set<string>()
    const pattern = mention.replaceAll('.', '\\.').replace(/<(\w+)>/g, (_, placeholder: string) => {
      if (seen.has(placeholder)) return `\\k<${placeholder}>`
      seen.add(placeholder)
      return `(?<${placeholder}>[^/]+)`
    })
    return new RegExp(`^${pattern}$`).test(path)
  })
}

const sources = globSync('src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'))
for (const [folder, files] of Map.groupBy(sources, (file) => folderWithPage(dirname(file)))) {
  const code = codeOf(readFileSync(join(root, folder, 'README.md'), 'utf8'))
  for (const file of files.map((path) => relative(folder, path)).sort()) {
    if (!names(code, file)) problems.push(`${folder}/README.md does not name ${file}: say what it is for`)
  }
}

for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exit(1)
console.log(`docs: ${pages.length} pages, every link and every named test is there; ${sources.length} files, each is named by its folder's page`)
