/** The import-floor rule: a folder of src/ imports only from floors below it; rooms on one floor never import each other. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const floors: Record<string, number> = {
  api: 0,
  machinery: 1,
  store: 2, client: 2,
  apiserver: 3, controllers: 3, scheduler: 3, node: 3, network: 3,
  cluster: 4,
  cli: 5,
}

const root = resolve(import.meta.dirname, '..')
const src = join(root, 'src')
const problems: string[] = []

for (const file of globSync('src/**/*.ts', { cwd: root })) {
  const text = readFileSync(join(root, file), 'utf8')
  const from = roomOf(resolve(root, file))
  if (from === undefined) continue
  for (const [, target] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    const to = roomOf(resolve(root, dirname(file), target as string))
    if (to === undefined || to === from) continue
    if (!(to in floors) || !(from in floors)) problems.push(`${file}: ${from} or ${to} is not in the plan of the house (scripts/check-floors.ts)`)
    else if ((floors[to] as number) >= (floors[from] as number)) problems.push(`${file}: ${from} (floor ${floors[from]}) must not import ${to} (floor ${floors[to]}): ${target}`)
  }
}

/** The folder under src/ that a path lies in; undefined for files directly in src/ or outside it. */
function roomOf(path: string): string | undefined {
  const parts = relative(src, path).split('/')
  return parts.length > 1 && parts[0] !== '..' ? parts[0] : undefined
}

for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exit(1)
console.log('floors: every import goes down')
