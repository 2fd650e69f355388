/** From 1,000 to 100,000 objects: a new server each, then one that starts over its store. */
import { cpSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { fetchText, load } from './_api-load.ts'
import { benchNamespace, nameOf } from './_api-objects.ts'
import type { Usage } from './_api-server.ts'
import { startSide } from './_api-sides.ts'

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`

/** Prints the table. `base` has the certificate. */
export async function measureGrowth(base: string, seconds: number): Promise<void> {
  console.log(`${'objects'.padStart(9)} ${'create/s'.padStart(9)} ${'get/s'.padStart(8)} ${'list ms'.padStart(9)} ${'µs/object'.padStart(10)} ${'memory'.padStart(9)} ${'again: ms'.padStart(10)} ${'µs/object'.padStart(10)} ${'memory'.padStart(9)}`)
  for (const count of [1000, 10_000, 100_000]) {
    const folder = mkdtempSync(join(base, 'growth-'))
    for (const file of ['key.pem', 'cert.pem']) cpSync(join(base, file), join(folder, file))
    const side = await startSide('skiff', folder)
    const begun = performance.now()
    await side.ask({ do: 'fill', kind: 'configmaps', from: 0, to: count })
    const filled = performance.now() - begun
    const { perSecond } = await load(side, `/api/v1/namespaces/${benchNamespace}/configmaps/${nameOf(7)}`, seconds)
    const listed = performance.now()
    await fetchText(side, `/api/v1/namespaces/${benchNamespace}/configmaps`)
    const list = performance.now() - listed
    const { rss } = await side.ask<Usage>({ do: 'collect' })
    await side.end()
    const again = await startSide('skiff', folder)
    const later = await again.ask<Usage>({ do: 'collect' })
    await again.end()
    const columns = [[count.toLocaleString('en'), 9], [(count / filled * 1000).toFixed(0), 9], [perSecond.toFixed(0), 8], [list.toFixed(0), 9], [(list / count * 1000).toFixed(1), 10], [megabytes(rss), 9], [again.filled.toFixed(0), 10], [(again.filled / count * 1000).toFixed(1), 10], [megabytes(later.rss), 9]] as const
    console.log(columns.map(([text, width]) => text.padStart(width)).join(' '))
  }
}
