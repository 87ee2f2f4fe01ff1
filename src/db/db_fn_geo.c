/* SPDX-License-Identifier: MIT */
/* geo:: functions. Distances on a sphere of the mean radius, areas on one of the equator's, as the
 * engine whose answers are recorded does it. */
#include <math.h>

#include "db/db_fn_internal.h"

#define MEAN_RADIUS 6371008.8
#define EQUATOR_RADIUS 6378137.0
#define RADIANS (3.14159265358979323846 / 180.0)

static cw_value at(cw_value v, size_t i) { return cw_value_array_get(v, i); }
static double coordinate(cw_value point, size_t axis) { return cw_value_as_float(at(point, axis)); }

static bool is_point(cw_value g) { return cwi_db_geometry_shape(g) == CWI_DB_POINT; }

FN(geo_distance) {
  FN_UNUSED;
  if (!is_point(args[0]) || !is_point(args[1])) return CW_OK;
  cw_value a = cwi_db_geometry_coordinates(args[0]);
  cw_value b = cwi_db_geometry_coordinates(args[1]);
  double theta1 = coordinate(a, 1) * RADIANS;
  double theta2 = coordinate(b, 1) * RADIANS;
  double d_theta = (coordinate(b, 1) - coordinate(a, 1)) * RADIANS;
  double d_lambda = (coordinate(b, 0) - coordinate(a, 0)) * RADIANS;
  double s = sin(d_theta / 2.0);
  double l = sin(d_lambda / 2.0);
  double h = s * s + cos(theta1) * cos(theta2) * l * l;
  *out = cwi_value_float(MEAN_RADIUS * 2.0 * asin(sqrt(h)));
  return CW_OK;
}

FN(geo_bearing) {
  FN_UNUSED;
  if (!is_point(args[0]) || !is_point(args[1])) return CW_OK;
  cw_value a = cwi_db_geometry_coordinates(args[0]);
  cw_value b = cwi_db_geometry_coordinates(args[1]);
  double lat1 = coordinate(a, 1) * RADIANS;
  double lat2 = coordinate(b, 1) * RADIANS;
  double d = (coordinate(b, 0) - coordinate(a, 0)) * RADIANS;
  double y = sin(d) * cos(lat2);
  double x = cos(lat1) * sin(lat2) - sin(lat1) * cos(lat2) * cos(d);
  *out = cwi_value_float(atan2(y, x) / RADIANS);
  return CW_OK;
}

/* The signed area of a ring after Chamberlain and Duquette. */
static double ring_area(cw_value ring) {
  size_t count = cw_value_len(ring);
  if (count < 4) return 0.0;
  count--; /* the last point is the first */
  double sum = 0.0;
  for (size_t i = 0; i < count; i++) {
    double low = coordinate(at(ring, i), 0) * RADIANS;
    double high = coordinate(at(ring, (i + 2) % count), 0) * RADIANS;
    sum += (high - low) * sin(coordinate(at(ring, (i + 1) % count), 1) * RADIANS);
  }
  return sum * EQUATOR_RADIUS * EQUATOR_RADIUS / 2.0;
}

static double polygon_area(cw_value polygon) {
  double area = fabs(ring_area(at(polygon, 0)));
  for (size_t i = 1; i < cw_value_len(polygon); i++) area -= fabs(ring_area(at(polygon, i)));
  return area;
}

static double area_of(cw_value geometry) {
  cw_value parts = cwi_db_geometry_coordinates(geometry);
  double area = 0.0;
  switch (cwi_db_geometry_shape(geometry)) {
    case CWI_DB_POLYGON: return polygon_area(parts);
    case CWI_DB_MULTI_POLYGON:
      for (size_t i = 0; i < cw_value_len(parts); i++) area += polygon_area(at(parts, i));
      return area;
    case CWI_DB_COLLECTION:
      for (size_t i = 0; i < cw_value_len(parts); i++) area += area_of(at(parts, i));
      return area;
    default: return 0.0;
  }
}

FN(geo_area) {
  FN_UNUSED;
  *out = cwi_value_float(area_of(args[0]));
  return CW_OK;
}

/* ---- centroid: weighted by area, else by length, else by number ---- */

typedef struct center {
  double x, y, weight;
  int dimension; /* of what the weight measures; larger ones win */
} center;

static void add_weight(center *c, double x, double y, double weight, int dimension) {
  if (dimension < c->dimension || weight == 0.0) return;
  if (dimension > c->dimension) *c = (center){.dimension = dimension};
  c->x += x * weight;
  c->y += y * weight;
  c->weight += weight;
}

static void add_line(center *c, cw_value line) {
  for (size_t i = 0; i < cw_value_len(line); i++) {
    double x = coordinate(at(line, i), 0);
    double y = coordinate(at(line, i), 1);
    add_weight(c, x, y, 1.0, 0);
    if (i == 0) continue;
    double px = coordinate(at(line, i - 1), 0);
    double py = coordinate(at(line, i - 1), 1);
    add_weight(c, (x + px) / 2.0, (y + py) / 2.0, hypot(x - px, y - py), 1);
  }
}

static void add_polygon(center *c, cw_value polygon) {
  for (size_t r = 0; r < cw_value_len(polygon); r++) {
    cw_value ring = at(polygon, r);
    double area = 0.0;
    double x = 0.0;
    double y = 0.0;
    for (size_t i = 0; i + 1 < cw_value_len(ring); i++) {
      double x0 = coordinate(at(ring, i), 0);
      double y0 = coordinate(at(ring, i), 1);
      double x1 = coordinate(at(ring, i + 1), 0);
      double y1 = coordinate(at(ring, i + 1), 1);
      double cross = x0 * y1 - x1 * y0;
      area += cross / 2.0;
      x += (x0 + x1) * cross / 6.0;
      y += (y0 + y1) * cross / 6.0;
    }
    if (r == 0) add_line(c, ring);
    if (area != 0.0) add_weight(c, x / area, y / area, r == 0 ? fabs(area) : -fabs(area), 2);
  }
}

static void add_geometry(center *c, cw_value geometry) {
  cw_value parts = cwi_db_geometry_coordinates(geometry);
  switch (cwi_db_geometry_shape(geometry)) {
    case CWI_DB_POINT: add_weight(c, coordinate(parts, 0), coordinate(parts, 1), 1.0, 0); break;
    case CWI_DB_LINE: add_line(c, parts); break;
    case CWI_DB_POLYGON: add_polygon(c, parts); break;
    case CWI_DB_MULTI_POINT:
      for (size_t i = 0; i < cw_value_len(parts); i++) {
        add_weight(c, coordinate(at(parts, i), 0), coordinate(at(parts, i), 1), 1.0, 0);
      }
      break;
    case CWI_DB_MULTI_LINE:
      for (size_t i = 0; i < cw_value_len(parts); i++) add_line(c, at(parts, i));
      break;
    case CWI_DB_MULTI_POLYGON:
      for (size_t i = 0; i < cw_value_len(parts); i++) add_polygon(c, at(parts, i));
      break;
    case CWI_DB_COLLECTION:
      for (size_t i = 0; i < cw_value_len(parts); i++) add_geometry(c, at(parts, i));
      break;
  }
}

FN(geo_centroid) {
  FN_UNUSED;
  center c = {0};
  add_geometry(&c, args[0]);
  if (c.weight == 0.0) return CW_OK;
  return cwi_db_value_point(c.x / c.weight, c.y / c.weight, out, err);
}

/* ---- geohash ---- */

static const char hash_letters[] = "0123456789bcdefghjkmnpqrstuvwxyz";

FN(geo_hash_encode) {
  int64_t size = len > 1 ? cwi_value_as_int(args[1]) : 12;
  if (size < 1 || size > 12) {
    return cwi_db_fn_fail(ctx, err,
                          "The second argument must be an integer greater than 0 and less than "
                          "or equal to 12.");
  }
  if (!is_point(args[0])) return CW_OK;
  double ranges[2][2] = {{-180.0, 180.0}, {-90.0, 90.0}};
  double point[2] = {coordinate(cwi_db_geometry_coordinates(args[0]), 0),
                     coordinate(cwi_db_geometry_coordinates(args[0]), 1)};
  char text[12];
  int axis = 0;
  for (int64_t i = 0; i < size; i++) {
    unsigned bits = 0;
    for (int b = 0; b < 5; b++, axis ^= 1) {
      double middle = (ranges[axis][0] + ranges[axis][1]) / 2.0;
      bool upper = point[axis] >= middle;
      ranges[axis][upper ? 0 : 1] = middle;
      bits = bits << 1 | (upper ? 1U : 0U);
    }
    text[i] = hash_letters[bits];
  }
  return cwi_fn_text(text, (size_t)size, out, err);
}

FN(geo_hash_decode) {
  FN_UNUSED;
  double ranges[2][2] = {{-180.0, 180.0}, {-90.0, 90.0}};
  int axis = 0;
  for (size_t i = 0; i < cwi_fn_size(args[0]); i++) {
    const char *place =
        cwi_fn_chars(args[0])[i] == '\0' ? NULL : strchr(hash_letters, cwi_fn_chars(args[0])[i]);
    if (place == NULL) return CW_OK;
    for (int b = 4; b >= 0; b--, axis ^= 1) {
      bool upper = ((unsigned)(place - hash_letters) >> b & 1U) != 0;
      ranges[axis][upper ? 0 : 1] = (ranges[axis][0] + ranges[axis][1]) / 2.0;
    }
  }
  return cwi_db_value_point((ranges[0][0] + ranges[0][1]) / 2.0,
                            (ranges[1][0] + ranges[1][1]) / 2.0, out, err);
}

static bool all_valid(cw_value v) {
  if (cwi_db_kind_of(v) == CWI_DB_GEOMETRY) return all_valid(cwi_db_geometry_coordinates(v));
  if (cw_value_len(v) == 2 && at(v, 0).kind == CW_VALUE_FLOAT) {
    return fabs(coordinate(v, 0)) <= 180.0 && fabs(coordinate(v, 1)) <= 90.0;
  }
  for (size_t i = 0; i < cw_value_len(v); i++) {
    if (!all_valid(at(v, i))) return false;
  }
  return true;
}

FN(geo_is_valid) {
  FN_UNUSED;
  *out = cwi_value_bool(all_valid(args[0]));
  return CW_OK;
}

#define P CWI_DB_FN_PURE
static const cwi_db_fn rows[] = {
    {"geo::area", "g", geo_area, P, "The area in square metres."},
    {"geo::bearing", "gg", geo_bearing, P, "The direction from one point to another, in degrees."},
    {"geo::centroid", "g", geo_centroid, P, "The middle."},
    {"geo::distance", "gg", geo_distance, P, "The distance in metres."},
    {"geo::hash::decode", "s", geo_hash_decode, P, "The point of a geohash."},
    {"geo::hash::encode", "g?i", geo_hash_encode, P, "The geohash of a point."},
    {"geo::is_valid", "g", geo_is_valid, P, "Whether longitudes and latitudes are possible."},
};
FN_LIST(cwi_db_fns_geo, "geo::", rows);
