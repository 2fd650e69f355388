/**
 * The whole test: lint, types, then every vitest project, each in a process of its own. Goes on after a failure, so
 * that one run shows all there is, and ends with one line that adds up.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const bin = join(root, 'node_modules/.bin')
const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` }
const reports = mkdtempSync(join(tmpdir(), 'skiff-test-'))
let passed = 0
let failed = 0

/** One check that is passed or failed as a whole. */
function check(title: string, command: string, args: readonly string[]): void {
  console.log(`\n== ${title}`)
  const { status } = spawnSync(command, args, { cwd: root, env, stdio: 'inherit' })
  if (status === 0) passed++
  else failed++
}

interface Report { readonly numPassedTests: number; readonly numFailedTests: number; readonly numTotalTestSuites: number; readonly success: boolean }

/** One vitest project; its tests count one by one. */
function suite(project: string): void {
  console.log(`\n== ${project}`)
  const report = join(reports, `${project}.json`)
  const { status } = spawnSync('vitest', ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`], { cwd: root, env, stdio: 'inherit' })
  try {
    const result = JSON.parse(readFileSync(report, 'utf8')) as Report
    passed += result.numPassedTests
    failed += result.numFailedTests
    // A file that does not load has no test that could fail.
    if (status !== 0 && result.numFailedTests === 0) failed++
  } catch {
    console.error(`${project}: vitest left no report`)
    failed++
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
console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)
