/* charts - the last twenty minutes as lines a template can draw: lag of a consumer, length of a WAL
 * (lib/event/lag_history.h). */
#include "ops.h"

#include "lib/event/lag_history.h"
#include "lib/base/settings.h"

#include <string.h>

#define WIDTH  240      /* of the viewBox in templates/ops/chart.mustache */
#define HEIGHT 32

static const struct member chart_members[] = {
	SHAPE_TEXT(ops_chart, points), SHAPE_INT(ops_chart, most), SHAPE_INT(ops_chart, minutes),
	SHAPE_BOOL(ops_chart, is_flat),
};
const struct shape ops_chart_shape = SHAPE(ops_chart, chart_members);

/* Time from left to right; at least `least` high, so that small values stay small. Unknown is drawn as 0. */
static struct ops_chart
draw(struct arena *m, const struct lag_history *h, const int64_t *value, int64_t least)
{
	struct ops_chart c = { .is_flat = true };
	struct buf b = { .m = m };
	int64_t top = least;

	for (int i = 0; i < h->n_samples; i++) {
		c.most = value[i] > c.most ? value[i] : c.most;
		top = value[i] > top ? value[i] : top;
	}
	for (int i = 0; i < h->n_samples; i++) {
		double x = (double)(LAG_SAMPLES - h->n_samples + i) * WIDTH / (LAG_SAMPLES - 1);
		int64_t v = value[i] > 0 ? value[i] : 0;

		buf_printf(&b, "%s%.1f,%.1f", i ? " " : "", x, HEIGHT - (double)v * (HEIGHT - 2) / (double)top);
	}
	c.points = b.s ? b.s : "";
	c.minutes = h->n_samples ? (h->samples[h->n_samples - 1].at - h->samples[0].at + 59) / 60 : 0;
	c.is_flat = c.most == 0;
	return c;
}

void
ops_charts(struct arena *m, struct ops_charts *charts)
{
	int64_t value[LAG_SAMPLES];
	struct lag_history h;

	*charts = (struct ops_charts){ .m = m };
	if (!lag_history_read(m, settings.var_dir, &h))
		return;
	for (int k = 0; k < h.n_consumers && charts->n < OPS_CHARTS; k++) {
		for (int i = 0; i < h.n_samples; i++)
			value[i] = h.samples[i].lag[k].n_behind;
		charts->name[charts->n] = h.consumer[k];
		charts->chart[charts->n++] = draw(m, &h, value, 20);
	}
	for (int k = 0; k < LAG_FILES && charts->n < OPS_CHARTS; k++) {
		static const char *const file[LAG_FILES] = { "motorpool.db", "view.db", "sandbox.db" };

		for (int i = 0; i < h.n_samples; i++)
			value[i] = h.samples[i].wal_bytes[k];
		charts->name[charts->n] = file[k];
		charts->chart[charts->n++] = draw(m, &h, value, 4 << 20);
	}
}

struct ops_chart
ops_chart(const struct ops_charts *charts, const char *name)
{
	for (int i = 0; i < charts->n; i++)
		if (strcmp(charts->name[i], name) == 0)
			return charts->chart[i];
	return (struct ops_chart){ .points = "" };
}
