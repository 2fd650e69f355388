/** `npm run bench` runs every bench, `npm run bench -- api pods` some. Each prints ratios measured in its own run: absolute times say little about another machine. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname
const names = readdirSync(here).filter((file) => file.endsWith('.ts') && file !== 'run.ts' && file !== 'churn.ts' && !file.startsWith('_')).map((file) => file.slice(0, -3))
const at = process.argv.findIndex((word, index) => index >= 2 && word.startsWith('--'))
const words = process.argv.slice(2, at < 0 ? undefined : at)
const options = at < 0 ? [] : process.argv.slice(at)
let failed = false

for (const name of words.length > 0 ? words : names) {
  const file = join(here, `${name}.ts`)
  if (!existsSync(file)) {
    console.error(`there is no bench "${name}"; there are: ${names.join(', ')}`)
    failed = true
    continue
  }
  console.log(`\n== ${name}`)
  failed = spawnSync(process.execPath, [file, ...options], { stdio: 'inherit' }).status !== 0 || failed
}
process.exit(failed ? 1 : 0)
