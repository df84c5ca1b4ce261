/*
 * car_gone - a car that is not in service, for the programs that must refuse to hand it over: booking at the counter,
 * delivery on a courier's way.
 */
#ifndef MP_CAR_GONE_H
#define MP_CAR_GONE_H

#include "lib/base/shape.h"
#include "lib/web/web.h"

struct car_gone {
	int64_t car_id;
	const char *plate;
	int service;                            /* enum service (domain/cars.h) */
};
extern const struct shape car_gone_shape;

#define CAR_GONE_CODE "car_out_of_service"

const char *car_gone_words(struct arena *m, const char *plate);                 /* for people */
/* 409 {"error":{"code":"car_out_of_service","message":…,"details":{car_id, plate, service}}}, for programs */
enum status car_gone_json(struct web *w, const struct car_gone *c);

#endif
