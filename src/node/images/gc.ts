/** Image garbage collection: when the disk of images fills up, the ones unused for longest go. */
import { statfs } from 'node:fs/promises'
import type { NodeContext } from '../context.ts'
import { sandboxImage } from './import.ts'

export interface ImageGcLimits { readonly highPercent: number; readonly lowPercent: number; readonly minimumAgeMs: number }
const usual: ImageGcLimits = { highPercent: 85, lowPercent: 80, minimumAgeMs: 120_000 }

/** Kubernetes's rule: above 85 % of the disk, delete down to 80 %; nothing in use, pinned, or seen for less than two minutes. */
export function createImageGc(context: NodeContext, limits = usual): { collect(): Promise<void> } {
  const { runtime, clock, log } = context
  const seen = new Map<string, { first: number; lastUsed: number }>()
  return {
    async collect() {
      const [images, containers] = await Promise.all([runtime.images(), runtime.listContainers()])
      const used = new Set(containers.flatMap((c) => [c.imageRef, c.image]))
      const now = clock.now()
      for (const image of images) {
        const entry = seen.get(image.id) ?? { first: now, lastUsed: 0 }
        if (used.has(image.id) || [...image.tags, ...image.digests].some((name) => used.has(name))) entry.lastUsed = now
        seen.set(image.id, entry)
      }
      for (const id of seen.keys()) if (!images.some((i) => i.id === id)) seen.delete(id)
      const fs = await statfs((await runtime.imageFilesystem()).path || context.directories.data)
      const capacity = fs.blocks * fs.bsize
      const usedPercent = 100 - (fs.bavail / fs.blocks) * 100
      if (usedPercent < limits.highPercent) return
      let toFree = capacity * ((usedPercent - limits.lowPercent) / 100)
      const entry = (id: string) => seen.get(id) ?? { first: now, lastUsed: now }
      const candidates = images.filter((i) => !i.pinned && !i.tags.includes(sandboxImage) && entry(i.id).lastUsed < now && now - entry(i.id).first >= limits.minimumAgeMs)
      for (const image of candidates.toSorted((a, b) => entry(a.id).lastUsed - entry(b.id).lastUsed)) {
        if (toFree <= 0) return
        log.info({ image: image.tags[0] ?? image.id, bytes: image.size }, 'disk is filling up: removing an unused image')
        await runtime.removeImage(image.id)
        toFree -= image.size
      }
    },
  }
}
