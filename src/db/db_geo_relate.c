/* SPDX-License-Identifier: MIT */
/* Whether geometries contain or meet each other, on the plane. */
#include "db/db_exec.h"

typedef struct point {
  double x, y;
} point;

static point point_of(cw_value v) {
  return (point){.x = cw_value_as_float(cw_value_array_get(v, 0)),
                 .y = cw_value_as_float(cw_value_array_get(v, 1))};
}

static bool in_ring(cw_value ring, point p) {
  bool inside = false;
  size_t len = cw_value_len(ring);
  for (size_t i = 0, k = len - 1; i < len; k = i++) {
    point a = point_of(cw_value_array_get(ring, i)), b = point_of(cw_value_array_get(ring, k));
    if ((a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x)
      inside = !inside;
  }
  return inside;
}

static bool in_polygon(cw_value rings, point p) {
  if (cw_value_len(rings) == 0 || !in_ring(cw_value_array_get(rings, 0), p)) return false;
  for (size_t i = 1; i < cw_value_len(rings); i++) {
    if (in_ring(cw_value_array_get(rings, i), p)) return false;
  }
  return true;
}

/* Calls for every point of nested coordinates. */
static bool each_point(cw_value v, bool (*test)(point, void *), void *context, bool all) {
  if (cw_value_array_get(v, 0).kind == CW_VALUE_FLOAT) return test(point_of(v), context);
  for (size_t i = 0; i < cw_value_len(v); i++) {
    if (each_point(cw_value_array_get(v, i), test, context, all) != all) return !all;
  }
  return all;
}

static bool test_in(point p, void *context) {
  const cw_value *whole = context;
  cw_value coordinates = cwi_db_geometry_coordinates(*whole);
  switch (cwi_db_geometry_shape(*whole)) {
    case CWI_DB_POLYGON: return in_polygon(coordinates, p);
    case CWI_DB_MULTI_POLYGON:
      for (size_t i = 0; i < cw_value_len(coordinates); i++) {
        if (in_polygon(cw_value_array_get(coordinates, i), p)) return true;
      }
      return false;
    case CWI_DB_POINT: {
      point q = point_of(coordinates);
      return p.x == q.x && p.y == q.y;
    }
    case CWI_DB_MULTI_POINT:
    case CWI_DB_LINE:
      for (size_t i = 0; i < cw_value_len(coordinates); i++) {
        point q = point_of(cw_value_array_get(coordinates, i));
        if (p.x == q.x && p.y == q.y) return true;
      }
      return false;
    default: return false;
  }
}

bool cwi_exec_geometry_contains(cw_value whole, cw_value part) {
  if (cwi_db_geometry_shape(part) == CWI_DB_COLLECTION) {
    cw_value items = cwi_db_geometry_coordinates(part);
    for (size_t i = 0; i < cw_value_len(items); i++) {
      if (!cwi_exec_geometry_contains(whole, cw_value_array_get(items, i))) return false;
    }
    return true;
  }
  if (cwi_db_geometry_shape(whole) == CWI_DB_COLLECTION) {
    cw_value items = cwi_db_geometry_coordinates(whole);
    for (size_t i = 0; i < cw_value_len(items); i++) {
      if (cwi_exec_geometry_contains(cw_value_array_get(items, i), part)) return true;
    }
    return false;
  }
  return each_point(cwi_db_geometry_coordinates(part), test_in, &whole, true);
}

static double cross(point o, point a, point b) {
  return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

typedef struct segment {
  point a, b;
} segment;

static bool crosses(segment s, segment t) {
  double d1 = cross(t.a, t.b, s.a), d2 = cross(t.a, t.b, s.b);
  double d3 = cross(s.a, s.b, t.a), d4 = cross(s.a, s.b, t.b);
  return ((d1 > 0) != (d2 > 0)) && ((d3 > 0) != (d4 > 0));
}

/* Whether some segment of nested coordinates crosses `with`, or, with `other`, one of its
 * segments. */
static bool segments_cross(cw_value v, cw_value other, const segment *with) {
  cw_value first = cw_value_array_get(v, 0);
  if (first.kind == CW_VALUE_FLOAT || first.kind == CW_VALUE_NONE) return false;
  bool line = cw_value_array_get(first, 0).kind == CW_VALUE_FLOAT;
  for (size_t i = 0; i < cw_value_len(v); i++) {
    if (!line) {
      if (segments_cross(cw_value_array_get(v, i), other, with)) return true;
    } else if (i > 0) {
      segment s = {.a = point_of(cw_value_array_get(v, i - 1)),
                   .b = point_of(cw_value_array_get(v, i))};
      if (with != NULL ? crosses(s, *with) : segments_cross(other, other, &s)) return true;
    }
  }
  return false;
}

bool cwi_exec_geometry_intersects(cw_value a, cw_value b) {
  if (cwi_db_kind_of(a) != CWI_DB_GEOMETRY || cwi_db_kind_of(b) != CWI_DB_GEOMETRY) return false;
  if (cwi_db_geometry_shape(a) == CWI_DB_COLLECTION ||
      cwi_db_geometry_shape(b) == CWI_DB_COLLECTION) {
    bool left = cwi_db_geometry_shape(a) == CWI_DB_COLLECTION;
    cw_value items = cwi_db_geometry_coordinates(left ? a : b);
    for (size_t i = 0; i < cw_value_len(items); i++) {
      if (cwi_exec_geometry_intersects(cw_value_array_get(items, i), left ? b : a)) return true;
    }
    return false;
  }
  cw_value x = cwi_db_geometry_coordinates(a), y = cwi_db_geometry_coordinates(b);
  return each_point(y, test_in, &a, false) || each_point(x, test_in, &b, false) ||
         segments_cross(x, y, NULL);
}
