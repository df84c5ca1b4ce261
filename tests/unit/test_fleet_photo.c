/* test_fleet_photo - pictures of cars. */
#include "test.h"

#include "cgi-bin/fleet/photo/picture.c"

#include <stdlib.h>
#include <string.h>

/* --- pictures ----------------------------------------------------------------------------------------------------- */

#define JPEG_BEGIN \
	"\xFF\xD8\xFF\xE1\x00\x20" "Exif\0\0" "II*\0\x08\0\0\0" "\x01\0" "\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" "\0\0"
#define JPEG_FRAME "\xFF\xC0\x00\x0B\x08\x01\xE0\x02\x80\x01\x01\x11\x00"
#define JPEG_SCAN  "\xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00\x12\x34"

TEST_WITH(type_size_and_orientation_of_a_picture_are_read, NULL, NULL)
{
	static const unsigned char jpeg[] = JPEG_BEGIN JPEG_FRAME JPEG_SCAN "\xFF\xD9",
				   cut[] = JPEG_BEGIN JPEG_FRAME JPEG_SCAN;
	static const unsigned char png[] =
		"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\x02\x80\0\0\x01\xE0\x08\x02\0\0\0\0\0\0\0";
	static const unsigned char webp[] = "RIFF\x16\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\x7F\x02\0\xDF\x01\0";
	struct picture p;

	assert_true(picture_look(&p, jpeg, sizeof(jpeg) - 1));
	assert_int_equal(p.type, PICTURE_JPEG);
	assert_int_equal(p.width, 640);
	assert_int_equal(p.height, 480);
	assert_int_equal(p.side_up, 6);
	assert_false(picture_look(&p, cut, sizeof(cut) - 1)); /* truncated */
	assert_true(picture_look(&p, png, sizeof(png) - 1));
	assert_int_equal(p.width, 640);
	assert_true(picture_look(&p, webp, sizeof(webp) - 1));
	assert_int_equal(p.height, 480);
}

TEST_WITH(no_truncated_or_changed_picture_is_read_beyond_its_end, NULL, NULL)
{
	static const unsigned char jpeg[] = JPEG_BEGIN JPEG_FRAME JPEG_SCAN "\xFF\xD9";
	struct picture p;

	for (size_t n = 0; n < sizeof(jpeg) - 1; n++) {
		unsigned char *exact = malloc(n ? n : 1);

		memcpy(exact, jpeg, n);
		assert_false(picture_look(&p, exact, n));
		free(exact);
	}
	for (size_t at = 3; at < sizeof(jpeg) - 1; at++)
		for (int value = 0; value < 256; value++) {
			unsigned char *changed = malloc(sizeof(jpeg) - 1);

			memcpy(changed, jpeg, sizeof(jpeg) - 1);
			changed[at] = (unsigned char)value;
			picture_look(&p, changed, sizeof(jpeg) - 1);
			assert_true(p.side_up >= 1 && p.side_up <= 8);
			free(changed);
		}
}

TEST_MAIN("fleet_photo", NULL, NULL, NULL, NULL)
