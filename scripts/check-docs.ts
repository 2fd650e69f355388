/** What the documents point at must be there: relative links in every page, and the test that a promise names. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

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

for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exit(1)
console.log(`docs: ${pages.length} pages, every link and every named test is there`)
