/* SPDX-License-Identifier: MIT */
/* The only place that knows libstemmer. A stemmer is made for each word: analyzers run over whole
 * documents rarely, and a kept one would belong to one thread. */
#include "db/db_stem.h"

#include <libstemmer.h>

#include "core/assert.h"

bool cwi_db_stem(const char *language, const char *word, size_t size, cwi_buf *out) {
  CWI_ASSERT(language != NULL && out != NULL);
  struct sb_stemmer *stemmer = sb_stemmer_new(language, "UTF_8");
  if (stemmer == NULL) return cwi_buf_append(out, word, size);
  const sb_symbol *stem = sb_stemmer_stem(stemmer, (const sb_symbol *)word, (int)size);
  bool ok = stem != NULL && cwi_buf_append(out, stem, (size_t)sb_stemmer_length(stemmer));
  sb_stemmer_delete(stemmer);
  return ok;
}
