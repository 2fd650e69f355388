/**
 * Builds what users run: few files, so that a start reads and compiles as little as it can. Native packages stay outside.
 * Each build has a folder of its own, and `dist/current` leads to the newest: a cluster that runs from an older one still
 * finds the parts it loads late, and two builds at once do not meet.
 */
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { rolldown } from 'rolldown'

const root = resolve(import.meta.dirname, '..')
const out = join(root, 'dist')
const build = `build-${Date.now().toString(36)}-${process.pid}`
const staging = join(out, build)
const kept = 4
mkdirSync(out, { recursive: true })

const bundle = await rolldown({
  input: { 'skiff': join(root, 'src/cli/main.ts'), 'yaml-worker': join(root, 'src/machinery/yaml-worker.ts') },
  platform: 'node',
  // x509 and its polyfill are loaded only when a signing request is met, and care about their order.
  external: [/^node:/, 'lmdb', /^@lmdb\//, 'rolldown', '@peculiar/x509', 'reflect-metadata'],
  onLog: (level, log, print) => {
    // Libraries that evaluate code or import in circles are their own business.
    if (level === 'warn' && log.code !== 'EVAL' && log.code !== 'CIRCULAR_DEPENDENCY') print(level, log)
  },
})
await bundle.write({
  dir: staging,
  format: 'esm',
  entryFileNames: '[name].mjs',
  chunkFileNames: '[name]-[hash].mjs',
  minify: false,
  banner: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
})
await bundle.close()
for (const name of readdirSync(staging)) {
  const file = join(staging, name)
  // One character beyond Latin-1 makes V8 keep two bytes for each of the whole source.
  writeFileSync(file, readFileSync(file, 'utf8').replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`))
}
const link = join(out, `.current-${process.pid}`)
symlinkSync(build, link)
renameSync(link, join(out, 'current'))
const builds = readdirSync(out).filter((name) => name.startsWith('build-')).toSorted((a, b) => statSync(join(out, b)).mtimeMs - statSync(join(out, a)).mtimeMs)
for (const old of builds.slice(kept)) rmSync(join(out, old), { recursive: true, force: true })
