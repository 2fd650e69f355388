/**
 * The whole test: lint, types, then every vitest project, each in a process of its own. Goes on after a failure, so
 * that one run shows all there is. What failed is told once more at the end, where it is seen without scrolling, above
 * the one line that adds up.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const bin = join(root, 'node_modules/.bin')
const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` }
const reports = mkdtempSync(join(tmpdir(), 'skiff-test-'))
let passed = 0
/** What failed, in the order it was met: its name, and what was wrong as far as that is known. */
const failures: string[] = []

/** One check that is passed or failed as a whole. */
function check(title: string, command: string, args: readonly string[]): void {
  console.log(`\n== ${title}`)
  const { status } = spawnSync(command, args, { cwd: root, env, stdio: 'inherit' })
  if (status === 0) passed++
  else failures.push(title)
}

/** What vitest writes about a run, as far as it is read here. */
interface Report {
  readonly numPassedTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string; readonly failureMessages?: readonly string[] }[]
  }[]
}

/** The failed tests of a project; a file that does not load has no test that could fail, and counts as one. */
function failuresOf(project: string, report: Report): string[] {
  return report.testResults.flatMap(file => {
    const path = relative(root, file.name)
    const tests = file.assertionResults.filter(test => test.status === 'failed')
    if (tests.length === 0 && file.status === 'failed') return [`${project}: ${path}\n${indented(file.message ?? '')}`]
    return tests.map(test => `${project}: ${path}: ${test.fullName}\n${indented((test.failureMessages ?? []).join('\n'))}`)
  })
}

/** The first lines of what was wrong. */
function indented(message: string): string {
  return message.split('\n').slice(0, 12).map(line => `    ${line}`).join('\n')
}

/** One vitest project; its tests count one by one. */
function suite(project: string): void {
  console.log(`\n== ${project}`)
  const report = join(reports, `${project}.json`)
  const { status } = spawnSync('vitest', ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`], { cwd: root, env, stdio: 'inherit' })
  try {
    const result = JSON.parse(readFileSync(report, 'utf8')) as Report
    passed += result.numPassedTests
    const found = failuresOf(project, result)
    // An error outside of every test fails the run too.
    if (status !== 0 && found.length === 0) found.push(`${project}: vitest ended with ${status}, no test of it failed`)
    failures.push(...found)
  } catch {
    failures.push(`${project}: vitest left no report`)
  }
}

const wanted = process.argv.slice(2)
const all = ['lint', 'types', 'unit', 'conformance', 'e2e', 'faults']
for (const name of wanted.length > 0 ? wanted : all) {
  if (name === 'lint') {
    check('lint', 'oxlint', ['--deny-warnings', '.'])
    check('import floors', 'node', ['scripts/check-floors.ts'])
    check('documents', 'node', ['scripts/check-docs.ts'])
  } else if (name === 'types') check('types', 'tsc', ['--noEmit'])
  else {
    if (name === 'conformance') check('genuine clients', 'node', ['scripts/genuine-clients.ts'])
    suite(name)
  }
}

rmSync(reports, { recursive: true, force: true })
if (failures.length > 0) console.log(`\n== what failed\n\n${failures.join('\n\n')}`)
console.log(`\n${passed} passed, ${failures.length} failed`)
process.exit(failures.length === 0 && passed > 0 ? 0 : 1)
