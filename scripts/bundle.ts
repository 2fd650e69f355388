/** Builds dist/skiff.mjs: one file, so that a start reads and compiles as little as it can. Native packages stay outside. */
import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { rolldown } from 'rolldown'

const root = resolve(import.meta.dirname, '..')
const out = join(root, 'dist')
const staging = join(root, `.dist-${process.pid}`)

const bundle = await rolldown({
  input: join(root, 'src/cli/main.ts'),
  platform: 'node',
  // x509 and its polyfill are loaded only when a certificate is to be made, and care about their order.
  external: [/^node:/, 'lmdb', /^@lmdb\//, 'rolldown', '@peculiar/x509', 'reflect-metadata'],
  onLog: (level, log, print) => {
    // Libraries that evaluate code or import in circles are their own business.
    if (level === 'warn' && log.code !== 'EVAL' && log.code !== 'CIRCULAR_DEPENDENCY') print(level, log)
  },
})
await bundle.write({
  dir: staging,
  format: 'esm',
  entryFileNames: 'skiff.mjs',
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
rmSync(out, { recursive: true, force: true })
renameSync(staging, out)
